"""Where the model is: read from the settings, whatever form of address was pasted into them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from shared.errors import ConfigError

if TYPE_CHECKING:
    from shared.settings import ModelSettings

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:]+")
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}(-preview)?")
_DEPLOYMENT_IN_PATH = re.compile(r"/deployments/([^/]+)")
#: Where a resource's own address ends and the address of one of its operations begins.
_OPERATION = re.compile(r"/(openai|api/projects)(/.*)?$")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One place that answers chat completions.

    Attributes:
        provider: The name that OpenTelemetry's conventions give it.
        base_url: Ends in a slash, or is the resource's address where ``api_version`` is set.
        key: Empty where Entra ID gives the token instead.
        api_version: Empty for everything but the dated API of Azure OpenAI.
        model: The deployment or model for stages that name none.
    """

    provider: str
    base_url: str
    key: str = field(repr=False)
    api_version: str
    model: str

    @property
    def host(self) -> str:
        """Name of the machine, for logs and traces."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def entra_scope(self) -> str:
        """What an Entra ID token is asked for."""
        if self.api_version:
            return "https://cognitiveservices.azure.com/.default"
        return "https://ai.azure.com/.default"


def find_endpoint(settings: ModelSettings) -> Endpoint:
    """The endpoint that the settings name: Azure OpenAI first, else OpenAI-compatible.

    Raises:
        ConfigError: Nothing is set, or an address, key or version has a wrong form.
    """
    if settings.azure_endpoint:
        return _azure(settings)
    if settings.openai_base_url or settings.openai_key:
        return _compatible(settings)
    raise ConfigError(
        "No model is configured. Set AZURE_OPENAI_ENDPOINT, AZURE_OPENAI_API_KEY and "
        "AZURE_OPENAI_DEPLOYMENT, or OPENAI_BASE_URL and OPENAI_MODEL; docs/models.md shows how."
    )


def _azure(settings: ModelSettings) -> Endpoint:
    address = _address("AZURE_OPENAI_ENDPOINT", settings.azure_endpoint)
    resource = _OPERATION.sub("", address)
    version = settings.azure_api_version
    if version and not _DATED.fullmatch(version):
        raise ConfigError(
            f"AZURE_OPENAI_API_VERSION: {version[:40]!r} is not a date such as 2024-10-21. "
            "Leave it unset to use the v1 API."
        )
    model = settings.azure_deployment
    pasted = _DEPLOYMENT_IN_PATH.search(address)
    if pasted and "azure_deployment" not in settings.model_fields_set:
        model = unquote(pasted[1])
    return Endpoint(
        provider="azure.ai.openai",
        base_url=resource if version else f"{resource}/openai/v1/",
        key=_key("AZURE_OPENAI_API_KEY", settings.azure_key),
        api_version=version,
        model=model,
    )


def _compatible(settings: ModelSettings) -> Endpoint:
    if not settings.openai_model:
        raise ConfigError("OPENAI_MODEL: say which model to use at the OpenAI-compatible endpoint.")
    base = settings.openai_base_url or "https://api.openai.com/v1"
    address = _address("OPENAI_BASE_URL", base).removesuffix("/chat/completions")
    return Endpoint(
        provider="openai",
        base_url=f"{address}/",
        # The client insists on a key; servers on a laptop take any.
        key=_key("OPENAI_API_KEY", settings.openai_key) or "none",
        api_version="",
        model=settings.openai_model,
    )


def _address(name: str, given: str) -> str:
    """Scheme, host, port and path of an address, without query, password or closing slash."""
    try:
        parts = urlsplit(given)
        port = f":{parts.port}" if parts.port else ""
        host = parts.hostname or ""
    except ValueError:
        parts, port, host = urlsplit(""), "", ""
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host):
        example = "https://NAME.openai.azure.com" if "AZURE" in name else "http://127.0.0.1:8080/v1"
        raise ConfigError(f"{name}: not an address; it should look like {example}")
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"


def _key(name: str, given: str) -> str:
    # Said here: an HTTP client would quote the key in its own complaint.
    if not (given.isascii() and given.isprintable()):
        raise ConfigError(f"{name}: holds a character that no key has, such as a line break.")
    return given
