"""Settings from the environment. Read once, by ``bootstrap`` only.

Every name is explained in docs/settings.md and has a line in local.settings.sample.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    ValidationError,
    model_validator,
)

from shared.domain.budget import Budget, Money
from shared.domain.budget import Tokens as BudgetTokens
from shared.errors import ConfigError

Seconds = Annotated[float, Field(gt=0)]
#: Two calls and the margins of a claim have to fit into maxDequeueCount x visibilityTimeout of
#: host.json (225 s); see shared/pipeline/limits.py.
CallSeconds = Annotated[float, Field(gt=0, le=80)]
Tokens = Annotated[int, Field(ge=16)]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]

#: Settings that may end in a stage's name, as in FRONTDESK_EFFORT_ESCALATION.
_STAGE_PREFIXES = (
    "FRONTDESK_DEPLOYMENT_",
    "FRONTDESK_EFFORT_",
    "FRONTDESK_MAX_OUTPUT_TOKENS_",
    "FRONTDESK_MODEL_TIMEOUT_SECONDS_",
)
#: Settings that may end in a desk's name, as in FRONTDESK_CALLBACK_SECRET_HOTEL.
_DESK_PREFIXES = (
    "FRONTDESK_CALLBACK_SECRET_",
    "FRONTDESK_ACTIONS_URL_",
    "FRONTDESK_SLACK_WEBHOOK_",
    "FRONTDESK_TEAMS_WEBHOOK_",
)
#: Settings that end in the name of a secret that a desk file names.
_BY_SECRET = "FRONTDESK_ACTION_SECRET_"  # noqa: S105 - a prefix of names
#: Connectors: desk, vendor and what is set, as in FRONTDESK_CRM_HOTEL_ZENDESK_SECRET.
_CRM_PREFIX = "FRONTDESK_CRM_"
#: Ticket systems, of one desk or of all: FRONTDESK_TICKETS_HOTEL_JIRA_TOKEN, …_TICKETS_JIRA_TOKEN.
_TICKETS_PREFIX = "FRONTDESK_TICKETS_"
_PREFIXES = (*_STAGE_PREFIXES, *_DESK_PREFIXES, _BY_SECRET, _CRM_PREFIX, _TICKETS_PREFIX)


class Price(BaseModel):
    """What a million tokens cost, in whatever currency the whole table uses.

    Attributes:
        cached_input: For the part of the prompt that came from the provider's cache; the price
            of ``input`` when absent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached_input: float | None = Field(default=None, ge=0)

    def of(self, prompt: int, answer: int, cached: int = 0) -> float:
        """What a call costs.

        Args:
            prompt: Its tokens, those from the cache included.
            cached: The part of them that came from the cache.
        """
        again = self.input if self.cached_input is None else self.cached_input
        whole = (prompt - cached) * self.input + cached * again + answer * self.output
        return whole / 1_000_000


class ModelSettings(BaseModel):
    """Where the model is and how each stage uses it.

    The ``stage_…`` fields hold what was set for single stages, as in
    ``FRONTDESK_EFFORT_ESCALATION=high``. Any stage name works, so that a new agent needs no line
    here.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)

    azure_endpoint: str = Field(
        default="",
        validation_alias=AliasChoices("AZURE_OPENAI_ENDPOINT", "AZURE_OPEN_AI_ENDPOINT"),
    )
    azure_key: str = Field(
        default="",
        validation_alias=AliasChoices("AZURE_OPENAI_API_KEY", "AZURE_OPEN_AI_KEY"),
        repr=False,
    )
    azure_deployment: str = Field(
        default="gpt-5.4-mini",
        validation_alias=AliasChoices(
            "AZURE_OPENAI_DEPLOYMENT", "AZURE_OPEN_AI_MODEL_DEPLOYMENT_NAME"
        ),
    )
    azure_api_version: str = Field(
        default="",
        validation_alias=AliasChoices("AZURE_OPENAI_API_VERSION", "AZURE_OPEN_AI_API_VERSION"),
    )
    openai_base_url: str = Field(default="", alias="OPENAI_BASE_URL")
    openai_key: str = Field(default="", alias="OPENAI_API_KEY", repr=False)
    openai_model: str = Field(default="", alias="OPENAI_MODEL")
    model_quality: Literal["", "demo"] = Field(default="", alias="FRONTDESK_MODEL_QUALITY")
    temperature: float | None = Field(default=None, alias="FRONTDESK_TEMPERATURE", ge=0, le=2)
    seed: int | None = Field(default=None, alias="FRONTDESK_SEED")
    prices: Json[dict[str, Price]] = Field(default={}, alias="FRONTDESK_PRICES")
    breaker_failures: int = Field(default=5, alias="FRONTDESK_BREAKER_FAILURES", ge=0)
    breaker_seconds: Seconds = Field(default=30, alias="FRONTDESK_BREAKER_SECONDS", le=300)
    proxy_from_environment: bool = Field(default=False, alias="FRONTDESK_USE_PROXY")

    effort: Effort | None = Field(default=None, alias="FRONTDESK_EFFORT")
    max_output_tokens: Tokens = Field(default=4000, alias="FRONTDESK_MAX_OUTPUT_TOKENS")
    model_timeout: CallSeconds = Field(default=60, alias="FRONTDESK_MODEL_TIMEOUT_SECONDS")

    stage_deployments: dict[str, str] = Field(default={}, alias="FRONTDESK_DEPLOYMENT_")
    stage_efforts: dict[str, Effort] = Field(default={}, alias="FRONTDESK_EFFORT_")
    stage_max_output_tokens: dict[str, Tokens] = Field(
        default={}, alias="FRONTDESK_MAX_OUTPUT_TOKENS_"
    )
    stage_timeouts: dict[str, CallSeconds] = Field(
        default={}, alias="FRONTDESK_MODEL_TIMEOUT_SECONDS_"
    )

    @model_validator(mode="before")
    @classmethod
    def _gather_by_name(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Fold ``PREFIX_STAGE=value`` into ``{"PREFIX_": {"STAGE": value}}``."""
        gathered = dict(given)
        for prefix in _PREFIXES:
            by_name = {
                name.removeprefix(prefix): value
                for name, value in given.items()
                if name.startswith(prefix) and name != prefix
            }
            if by_name:
                gathered[prefix] = by_name
        return gathered

    def effort_of(self, stage: str) -> Effort | None:
        """The reasoning effort to ask for; None leaves it to the model."""
        return self.stage_efforts.get(stage.upper(), self.effort)

    def max_output_tokens_of(self, stage: str) -> int:
        """The most tokens that an answer may take, reasoning included."""
        return self.stage_max_output_tokens.get(stage.upper(), self.max_output_tokens)

    def timeout_of(self, stage: str) -> float:
        """Seconds that one call of the model may take."""
        return self.stage_timeouts.get(stage.upper(), self.model_timeout)

    @property
    def longest_timeout(self) -> float:
        """Seconds that a call of any stage may take: what every claim has to outlast."""
        return max(self.model_timeout, *self.stage_timeouts.values(), 0)


class Settings(ModelSettings):
    """What the app needs to know about its surroundings. Secrets never appear in its repr."""

    storage: str = Field(default="", alias="AzureWebJobsStorage", repr=False)
    storage_account: str = Field(
        default="", alias="AzureWebJobsStorage__accountName", pattern=r"^[a-z0-9]{3,24}$|^$"
    )
    queue_service_uri: str = Field(default="", alias="AzureWebJobsStorage__queueServiceUri")
    table_service_uri: str = Field(default="", alias="AzureWebJobsStorage__tableServiceUri")
    blob_service_uri: str = Field(default="", alias="AzureWebJobsStorage__blobServiceUri")
    storage_client_id: str = Field(default="", alias="AzureWebJobsStorage__clientId")
    secret: str = Field(default="", alias="FRONTDESK_SECRET", repr=False)

    table_prefix: str = Field(
        default="frontdesk", alias="FRONTDESK_TABLE_PREFIX", pattern=r"^[A-Za-z][A-Za-z0-9]{0,39}$"
    )
    max_attempts: int = Field(default=12, alias="FRONTDESK_MAX_ATTEMPTS", ge=1, le=100)
    turn_deadline: Seconds = Field(default=3600, alias="FRONTDESK_TURN_DEADLINE_SECONDS")
    case_tokens: BudgetTokens = Field(default=500_000, alias="FRONTDESK_CASE_TOKENS")
    case_cost: Money | None = Field(default=None, alias="FRONTDESK_CASE_COST")
    day_tokens: BudgetTokens | None = Field(default=None, alias="FRONTDESK_DAY_TOKENS")
    day_cost: Money | None = Field(default=None, alias="FRONTDESK_DAY_COST")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", alias="FRONTDESK_LOG_LEVEL"
    )

    environment: str = Field(default="", alias="AZURE_FUNCTIONS_ENVIRONMENT")
    public_url: str = Field(default="", alias="FRONTDESK_PUBLIC_URL", pattern=r"^https?://\S+$")
    smtp_url: str = Field(default="", alias="FRONTDESK_SMTP_URL", repr=False)
    acs_connection_string: str = Field(
        default="", alias="FRONTDESK_ACS_CONNECTION_STRING", repr=False
    )
    acs_endpoint: str = Field(default="", alias="FRONTDESK_ACS_ENDPOINT")
    mail_from: str = Field(default="", alias="FRONTDESK_MAIL_FROM")
    callback_secret: str = Field(default="", alias="FRONTDESK_CALLBACK_SECRET", repr=False)
    callback_secrets: dict[str, str] = Field(
        default={}, alias="FRONTDESK_CALLBACK_SECRET_", repr=False
    )
    actions_url: str = Field(
        default="", alias="FRONTDESK_ACTIONS_URL", pattern=r"^https?://[^\s?#]+$"
    )
    actions_urls: dict[str, str] = Field(default={}, alias="FRONTDESK_ACTIONS_URL_")
    action_functions: str = Field(
        default="", alias="FRONTDESK_ACTION_FUNCTIONS", pattern=r"^[A-Za-z0-9_. ]*$"
    )
    action_secrets: dict[str, str] = Field(default={}, alias=_BY_SECRET, repr=False)
    slack: str = Field(default="", alias="FRONTDESK_SLACK_WEBHOOK", repr=False)
    slack_by_desk: dict[str, str] = Field(default={}, alias="FRONTDESK_SLACK_WEBHOOK_", repr=False)
    teams: str = Field(default="", alias="FRONTDESK_TEAMS_WEBHOOK", repr=False)
    teams_by_desk: dict[str, str] = Field(default={}, alias="FRONTDESK_TEAMS_WEBHOOK_", repr=False)
    crm: dict[str, str] = Field(default={}, alias=_CRM_PREFIX, repr=False)
    tickets: dict[str, str] = Field(default={}, alias=_TICKETS_PREFIX, repr=False)

    @property
    def budget(self) -> Budget:
        """The limits of desks that have none of their own."""
        return Budget(
            case_tokens=self.case_tokens,
            case_cost=self.case_cost,
            day_tokens=self.day_tokens,
            day_cost=self.day_cost,
        )

    @property
    def development(self) -> bool:
        """Whether this runs on a developer's machine, as both local hosts say."""
        return self.environment == "Development"

    def service_uri(self, service: Literal["table", "queue", "blob"]) -> str:
        """Address of one of the storage account's services; empty with a connection string."""
        given: str = getattr(self, f"{service}_service_uri")
        if given or not self.storage_account:
            return given
        return f"https://{self.storage_account}.{service}.core.windows.net"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from environment variables; empty values count as unset.

    Raises:
        ConfigError: A value is out of range or of the wrong form; the message names it.
    """
    given = {name: value for name, value in environ.items() if value.strip()}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        said = "; ".join(_say(problem) for problem in error.errors(include_input=False))
        raise ConfigError(f"settings: {said}") from None


def _say(problem: Any) -> str:
    name, *inside = (str(part) for part in problem["loc"])
    if name in _PREFIXES:
        name += inside.pop(0)
    return f"{'.'.join([name, *inside])}: {problem['msg']}"
