"""Every setting is explained where people look for it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from pydantic import AliasChoices

from shared.errors import ConfigError
from shared.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parents[2]


def aliases() -> list[str]:
    names: list[str] = []
    for field in Settings.model_fields.values():
        alias = field.validation_alias or field.alias
        if isinstance(alias, AliasChoices):
            names += [str(choice) for choice in alias.choices]
        else:
            names.append(str(alias))
    return names


def explained(name: str, text: str) -> bool:
    """``A_B__cService`` may be written as ``…__cService``, a stage's prefix with ``<STAGE>``."""
    return name in text or f"…__{name.rpartition('__')[2]}" in text or f"{name}<STAGE>" in text


def test_every_setting_is_explained() -> None:
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    # FRONTDESK_EFFORT_ and the like stand as `…_<STAGE>` beside their plain name.
    names = [name.removesuffix("_") for name in aliases()]
    names += [name for name in ELSEWHERE if name.startswith("FRONTDESK_")]
    assert [name for name in names if not explained(name, text)] == []


def test_the_sample_has_every_setting_of_one_name_and_no_other() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text(encoding="utf-8"))
    whole = {
        name
        for name in aliases()
        if not name.endswith("_") and not name.startswith(("AzureWebJobsStorage__", "AZURE_OPEN_"))
    }
    # The hosts set this one themselves.
    whole -= {"AZURE_FUNCTIONS_ENVIRONMENT"}
    assert set(sample["Values"]) == whole | {"FUNCTIONS_WORKER_RUNTIME"}
    read_settings(sample["Values"])


#: Read by others than the app: the command and the identity library.
ELSEWHERE = {
    "FRONTDESK_URL", "FRONTDESK_KEY", "FRONTDESK_STATE", "FRONTDESK_AZURITE",
    "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET",
}  # fmt: skip


def exists(name: str) -> bool:
    """A setting, or one of a family: ``FRONTDESK_CRM_HOTEL_ZENDESK_URL``, ``FRONTDESK_ACS_…``."""
    known = aliases()
    families = tuple(alias for alias in known if alias.endswith("_"))
    beginning = name.endswith("_") and any(alias.startswith(name) for alias in known)
    return name in {*known, *ELSEWHERE} or name.startswith(families) or beginning


def test_documents_name_only_settings_that_exist() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("desks/*.yaml")]
    named = {
        (document.name, name)
        for document in documents
        for name in re.findall(
            r"\b(?:FRONTDESK|AZURE|OPENAI)_[A-Z0-9_]+", document.read_text(encoding="utf-8")
        )
    }
    assert {one for one in named if not exists(one[1])} == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FRONTDESK_MAX_ATTEMPTS", "none"),
        ("FRONTDESK_LOG_LEVEL", "LOUD"),
        ("FRONTDESK_TABLE_PREFIX", "1-a"),
        ("FRONTDESK_EFFORT_ESCALATION", "extreme"),
    ],
)
def test_a_wrong_value_is_named_without_being_shown(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name) as caught:
        read_settings({name: value})
    assert f"'{value}'" not in str(caught.value)


def test_the_articles_names_work() -> None:
    settings = read_settings(
        {
            "AZURE_OPEN_AI_ENDPOINT": "https://x.openai.azure.com",
            "AZURE_OPEN_AI_KEY": "k",
            "AZURE_OPEN_AI_MODEL_DEPLOYMENT_NAME": "gpt-4o",
            "AZURE_OPEN_AI_API_VERSION": "2024-10-21",
        }
    )
    assert settings.azure_endpoint == "https://x.openai.azure.com"
    assert (settings.azure_key, settings.azure_deployment) == ("k", "gpt-4o")
    assert settings.azure_api_version == "2024-10-21"


def test_an_accounts_name_gives_its_addresses() -> None:
    settings = read_settings({"AzureWebJobsStorage__accountName": "mydesk"})
    assert settings.service_uri("queue") == "https://mydesk.queue.core.windows.net"


def test_secrets_are_not_in_the_repr() -> None:
    secrets = {"AZURE_OPENAI_API_KEY": "s-1", "OPENAI_API_KEY": "s-2", "FRONTDESK_SECRET": "s-3"}
    secrets |= {"FRONTDESK_TICKETS_JIRA_TOKEN": "s-5", "FRONTDESK_CRM_HOTEL_ZENDESK_SECRET": "s-6"}
    shown = repr(read_settings(secrets | {"AzureWebJobsStorage": "AccountKey=s-4"}))
    assert "s-" not in shown
