"""The model under test: the product's own adapter, and what its answers depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from evals.run import Model
from shared.adapters.azure_openai import OpenAIModel
from shared.adapters.model_endpoint import find_endpoint
from shared.settings import read_settings

_LOCAL = Path(__file__).resolve().parent.parent / "devkit"
_LOCAL_PARTS = ("local_model/*.py", "requirements/model.txt")
#: Settings that change what the model answers.
_SETTINGS = {
    "temperature",
    "seed",
    "effort",
    "max_output_tokens",
    "stage_deployments",
    "stage_efforts",
    "stage_max_output_tokens",
}


def configured_model(environ: Mapping[str, str], local: str = "") -> Model:
    """The model that the product would use with these settings.

    Args:
        local: Digest of the local model; empty for a model elsewhere.

    Raises:
        ConfigError: None is configured, or a setting is wrong.
    """
    settings = read_settings(environ)
    endpoint = find_endpoint(settings)
    about = settings.model_dump(mode="json", include=_SETTINGS)
    # The local model has another port each time.
    about["at"] = local or endpoint.host
    return Model(OpenAIModel(settings), endpoint.model, about, settings)


def digest_of_local_model() -> str:
    """Changes with the local model's package and with how it is run."""
    whole = hashlib.sha256()
    for path in sorted(path for part in _LOCAL_PARTS for path in _LOCAL.glob(part)):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:12]
