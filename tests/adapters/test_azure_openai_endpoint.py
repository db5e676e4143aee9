from __future__ import annotations

import pytest

from shared.adapters.azure_openai import OpenAIModel
from shared.adapters.model_endpoint import find_endpoint
from shared.errors import ConfigError
from shared.settings import ModelSettings, read_settings

V1 = "https://contoso.openai.azure.com/openai/v1/"


def azure(endpoint: str, **more: str) -> ModelSettings:
    return read_settings({"AZURE_OPENAI_ENDPOINT": endpoint, "AZURE_OPENAI_API_KEY": "k", **more})


@pytest.mark.parametrize(
    "pasted",
    [
        "https://contoso.openai.azure.com",
        "https://contoso.openai.azure.com/",
        " https://contoso.openai.azure.com/openai\n",
        "https://contoso.openai.azure.com/openai/v1",
        "https://contoso.openai.azure.com/openai/v1/",
        "https://contoso.openai.azure.com/openai/v1/chat/completions",
        "https://contoso.openai.azure.com/openai/responses?api-version=2025-04-01-preview",
        "https://contoso.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
        "https://CONTOSO.openai.azure.com:443/api/projects/front-desk",
    ],
)
def test_any_address_that_the_portal_shows_leads_to_the_v1_api(pasted: str) -> None:
    found = find_endpoint(azure(pasted))

    assert found.base_url.replace(":443", "") == V1
    assert found.api_version == ""
    assert found.entra_scope == "https://ai.azure.com/.default"


def test_a_gateway_in_front_of_azure_keeps_its_path() -> None:
    found = find_endpoint(azure("https://gate.example.com/team/openai/v1"))

    assert found.base_url == "https://gate.example.com/team/openai/v1/"
    assert found.host == "gate.example.com"


def test_a_set_api_version_chooses_the_dated_api() -> None:
    found = find_endpoint(azure(V1, AZURE_OPENAI_API_VERSION="2024-10-21"))

    assert found.base_url == "https://contoso.openai.azure.com"
    assert found.api_version == "2024-10-21"
    assert found.entra_scope == "https://cognitiveservices.azure.com/.default"


def test_the_deployment_of_a_pasted_address_counts_unless_one_is_set() -> None:
    pasted = "https://contoso.openai.azure.com/openai/deployments/front%20desk/chat/completions"

    assert find_endpoint(azure(pasted)).model == "front desk"
    assert find_endpoint(azure(pasted, AZURE_OPENAI_DEPLOYMENT="mini")).model == "mini"
    assert find_endpoint(azure(V1)).model == "gpt-5.4-mini"


def test_the_names_of_the_article_work() -> None:
    settings = read_settings(
        {
            "AZURE_OPEN_AI_ENDPOINT": "https://contoso.openai.azure.com/",
            "AZURE_OPEN_AI_KEY": "article-key",
            "AZURE_OPEN_AI_MODEL_DEPLOYMENT_NAME": "article-model",
            "AZURE_OPEN_AI_API_VERSION": "2024-10-21",
        }
    )

    found = find_endpoint(settings)

    assert (found.key, found.model, found.api_version) == (
        "article-key",
        "article-model",
        "2024-10-21",
    )


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1/"),
        ("http://[::1]:8080/v1/", "http://[::1]:8080/v1/"),
        ("https://gw.example.com/v1/chat/completions", "https://gw.example.com/v1/"),
        ("", "https://api.openai.com/v1/"),
    ],
)
def test_an_openai_compatible_address_is_used_as_given(base_url: str, expected: str) -> None:
    given = {"OPENAI_BASE_URL": base_url, "OPENAI_API_KEY": "k", "OPENAI_MODEL": "m"}

    found = find_endpoint(read_settings(given))

    assert (found.base_url, found.provider, found.model) == (expected, "openai", "m")


def test_azure_comes_first_where_both_are_set() -> None:
    both = azure(V1, OPENAI_BASE_URL="http://127.0.0.1:8080/v1", OPENAI_MODEL="m")

    assert find_endpoint(both).provider == "azure.ai.openai"


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "Set AZURE_OPENAI_ENDPOINT.*or OPENAI_BASE_URL"),
        ({"AZURE_OPENAI_ENDPOINT": "contoso"}, "AZURE_OPENAI_ENDPOINT: .*https://NAME"),
        ({"AZURE_OPENAI_ENDPOINT": "ftp://contoso"}, "AZURE_OPENAI_ENDPOINT"),
        ({"AZURE_OPENAI_ENDPOINT": "https://con toso"}, "AZURE_OPENAI_ENDPOINT"),
        ({"AZURE_OPENAI_ENDPOINT": "https://[1"}, "AZURE_OPENAI_ENDPOINT"),
        ({"AZURE_OPENAI_ENDPOINT": "https://contoso:99999"}, "AZURE_OPENAI_ENDPOINT"),
        ({"AZURE_OPENAI_ENDPOINT": V1, "AZURE_OPENAI_API_VERSION": "preview"}, "a date such as"),
        ({"AZURE_OPENAI_ENDPOINT": V1, "AZURE_OPENAI_API_KEY": "a\nb"}, "AZURE_OPENAI_API_KEY"),
        ({"AZURE_OPENAI_ENDPOINT": V1, "AZURE_OPENAI_API_KEY": "“k”"}, "AZURE_OPENAI_API_KEY"),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, "OPENAI_MODEL"),
        ({"OPENAI_BASE_URL": "127.0.0.1:1", "OPENAI_MODEL": "m"}, "OPENAI_BASE_URL: .*http://127"),
        ({"FRONTDESK_PRICES": "{"}, "FRONTDESK_PRICES: Invalid JSON"),
        ({"FRONTDESK_PRICES": '{"m": {"input": 1}}'}, "FRONTDESK_PRICES.m.output: Field required"),
        ({"FRONTDESK_EFFORT_SENTIMENT": "hihg"}, "FRONTDESK_EFFORT_SENTIMENT: .*'high'"),
        ({"FRONTDESK_MAX_OUTPUT_TOKENS": "few"}, "FRONTDESK_MAX_OUTPUT_TOKENS: "),
        ({"FRONTDESK_MODEL_TIMEOUT_SECONDS": "600"}, "FRONTDESK_MODEL_TIMEOUT_SECONDS: .* 80"),
        ({"FRONTDESK_MODEL_TIMEOUT_SECONDS_SENTIMENT": "0"}, "FRONTDESK_MODEL_TIMEOUT_SECONDS_SE"),
    ],
)
def test_a_missing_or_wrong_setting_is_named(environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        OpenAIModel(read_settings(environ))

    assert environ.get("AZURE_OPENAI_API_KEY", "?") not in str(caught.value)


def test_a_stage_may_have_its_own_settings_and_any_stage_name_works() -> None:
    settings = read_settings(
        {
            "FRONTDESK_EFFORT": "low",
            "FRONTDESK_EFFORT_NEW_AGENT": "high",
            "FRONTDESK_MAX_OUTPUT_TOKENS_NEW_AGENT": "9000",
            "FRONTDESK_MODEL_TIMEOUT_SECONDS": "30",
            "FRONTDESK_MODEL_TIMEOUT_SECONDS_NEW_AGENT": "70",
            "FRONTDESK_DEPLOYMENT_NEW_AGENT": "large",
        }
    )

    assert (settings.effort_of("new_agent"), settings.effort_of("sentiment")) == ("high", "low")
    assert settings.max_output_tokens_of("new_agent") == 9000
    assert settings.max_output_tokens_of("sentiment") == 4000
    assert (settings.timeout_of("new_agent"), settings.timeout_of("sentiment")) == (70, 30)
    assert (settings.longest_timeout, read_settings({}).longest_timeout) == (70, 60)
    assert settings.stage_deployments == {"NEW_AGENT": "large"}


def test_no_key_appears_when_settings_or_endpoint_are_printed() -> None:
    settings = read_settings(
        {"AZURE_OPENAI_ENDPOINT": V1, "AZURE_OPENAI_API_KEY": "hush", "OPENAI_API_KEY": "hush"}
    )

    assert "hush" not in f"{settings!r} {find_endpoint(settings)!r} {OpenAIModel(settings)!r}"
