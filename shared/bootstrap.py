"""Puts the app together: reads the settings and hands every part its ports. Nothing at import."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

from shared import telemetry
from shared.adapters.clocks import SystemClock
from shared.domain.approval_links import ApprovalLinks
from shared.domain.desk import Desks
from shared.domain.nudge import EFFECTS_QUEUE, queue_name
from shared.errors import ConfigError, PermanentError
from shared.pipeline.acts import Acts
from shared.pipeline.advance import Advancer
from shared.pipeline.budgets import Budgets
from shared.pipeline.digest_channels import DigestChannels
from shared.pipeline.digests import Digests
from shared.pipeline.effects import EffectRunner
from shared.pipeline.fetching import STAGE as FETCH
from shared.pipeline.fetching import FetchStage
from shared.pipeline.intake import Intake
from shared.pipeline.limits import Limits
from shared.pipeline.parking import Parking
from shared.pipeline.preparing import Preparing
from shared.pipeline.quarantine import Ward
from shared.pipeline.reception import UNPACK, Reception
from shared.pipeline.repeats import Repeats
from shared.pipeline.rounds import Rounds
from shared.pipeline.runner import StageRunner
from shared.pipeline.sweeper import Sweeper
from shared.ports import (
    CaseIndex,
    CaseStore,
    Clock,
    Customers,
    Journal,
    ModelCall,
    ModelClient,
    Nudges,
    Quarantine,
    Sink,
    Spending,
    StageAgent,
    Texts,
)
from shared.ports.crm import Connectors, Inbox
from shared.ports.tickets import TicketLedger
from shared.settings import Settings, read_settings

if TYPE_CHECKING:
    from shared.adapters.backends import Around
    from shared.adapters.channels import WebhookAddresses
    from shared.adapters.mail import Mailer

ROOT = Path(__file__).resolve().parent.parent
_DEVELOPMENT = ("UseDevelopmentStorage=true", "http://127.0.0.1", "http://localhost")
_WEAK_SECRET = 16
_log = telemetry.logger("bootstrap")


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside, real or in memory."""

    store: CaseStore
    index: CaseIndex
    journal: Journal
    nudges: Nudges
    texts: Texts
    quarantine: Quarantine
    spending: Spending
    model: ModelClient
    sinks: Mapping[str, Sink]
    connectors: Connectors
    inbox: Inbox
    tickets: TicketLedger
    customers: Customers
    clock: Clock


@dataclass(frozen=True, slots=True)
class Frontdesk:
    """The app, ready to work."""

    settings: Settings
    desks: Desks
    ports: Ports
    intake: Intake
    reception: Reception
    fetching: FetchStage
    runner: StageRunner
    effects: EffectRunner
    acts: Acts
    links: ApprovalLinks
    parking: Parking
    sweeper: Sweeper
    digests: Digests
    digest_channels: DigestChannels
    ward: Ward
    budgets: Budgets


def assemble(
    settings: Settings, desks: Desks, ports: Ports, agents: Sequence[StageAgent]
) -> Frontdesk:
    """The app over any ports.

    Args:
        agents: Those that work on a message, in the order of its stages.

    Raises:
        ConfigError: The secret is missing or weak, or a limit in money has no prices.
    """
    limits = Limits(
        model_timeout=settings.longest_timeout,
        max_attempts=settings.max_attempts,
        turn_deadline=settings.turn_deadline,
    )
    store, index, nudges, clock = ports.store, ports.index, ports.nudges, ports.clock
    advancer = Advancer(store, index, ports.journal, nudges)
    plan = [agent.plan for agent in agents]
    by_stage = {agent.plan.stage: agent for agent in agents}
    budgets = Budgets(ports.spending, settings.budget, limits)
    _check_prices(ports.model, desks, budgets, list(by_stage))
    preparing = Preparing(ports.model, desks, by_stage, budgets, limits)
    parking = Parking(store, desks, advancer, clock, limits, frozenset({FETCH, *by_stage}))
    secret = _secret(settings)
    repeats = Repeats(ports.customers, secret)
    intake = Intake(store, advancer, ports.texts, desks, clock, secret, plan, repeats)
    random = SystemRandom()
    rounds = Rounds(store, index, desks, clock)
    channels = DigestChannels(store, index, ports.journal, advancer, clock)
    return Frontdesk(
        settings=settings,
        desks=desks,
        ports=ports,
        intake=intake,
        reception=Reception(
            intake, ports.connectors, ports.inbox, ports.texts, advancer, desks, clock
        ),
        fetching=FetchStage(ports.connectors, ports.texts, repeats),
        runner=StageRunner(store, ports.model, preparing, budgets, advancer, clock, limits, random),
        effects=EffectRunner(store, ports.sinks, desks, advancer, clock, limits, random, rounds),
        acts=Acts(store, desks, advancer, clock),
        links=_links(settings),
        parking=parking,
        sweeper=Sweeper(store, index, channels, advancer, parking, clock, limits, rounds),
        digests=Digests(store, index, ports.journal, advancer, desks, clock, limits, channels),
        digest_channels=channels,
        ward=Ward(ports.quarantine, clock),
        budgets=budgets,
    )


_started: dict[asyncio.AbstractEventLoop, asyncio.Task[Frontdesk]] = {}


async def frontdesk(agents: Sequence[StageAgent]) -> Frontdesk:
    """The app of this process, built at the first call and shared by all later ones.

    Raises:
        ConfigError: A setting or a desk file is wrong; the next call tries again.
        RetryableError: Storage does not answer yet; the next call tries again.
    """
    loop = asyncio.get_running_loop()
    task = _started.get(loop)
    if task is None or (task.done() and (task.cancelled() or task.exception())):
        task = _started[loop] = loop.create_task(_start(agents))
    return await asyncio.shield(task)


async def _start(agents: Sequence[StageAgent]) -> Frontdesk:
    settings = read_settings(os.environ)
    telemetry.configure(settings.log_level)
    # Imported here: the storage SDKs cost half a second that indexing the functions does not need.
    from shared.adapters import backends, tickets
    from shared.adapters.azure_clients import AzureStorage, StorageAddress
    from shared.adapters.azure_openai import OpenAIModel
    from shared.adapters.crm_connectors import CrmConnectors
    from shared.adapters.desk_files import load_desks
    from shared.adapters.digest_copy import CopySink
    from shared.adapters.escalation_tickets import EscalationTickets

    around = _around(settings)
    desks = load_desks(ROOT / "desks", around)
    for name in tickets.unknown_settings(settings.tickets, map(backends.setting_name, desks.names)):
        _log.warning("a setting is for no desk and ticket system", extra={"setting": name})
    connectors = CrmConnectors(settings.crm, desks.names, development=settings.development)
    sinks = _sinks(settings, connectors, around.mailer, SystemClock(), desks)
    storage = AzureStorage(
        StorageAddress(
            connection_string=settings.storage,
            table_uri=settings.service_uri("table"),
            queue_uri=settings.service_uri("queue"),
            blob_uri=settings.service_uri("blob"),
            client_id=settings.storage_client_id,
            use_proxy=settings.proxy_from_environment,
        ),
        settings.table_prefix,
    )
    with_ledger = replace(around, ledger=storage.tickets)
    ports = Ports(
        store=storage.cases,
        index=storage.index,
        journal=storage.journal,
        nudges=storage.nudges,
        texts=storage.texts,
        quarantine=storage.quarantine,
        spending=storage.spending,
        model=OpenAIModel(settings),
        sinks={
            **sinks,
            **backends.sinks(with_ledger),
            "ticket": EscalationTickets(with_ledger),
            "copy": CopySink(storage.texts, settings.public_url),
        },
        connectors=connectors,
        inbox=storage.inbox,
        tickets=storage.tickets,
        customers=storage.customers,
        clock=SystemClock(),
    )
    try:
        app = assemble(settings, desks, ports, agents)
        stages = (FETCH, UNPACK, *(agent.plan.stage for agent in agents))
        await storage.ensure([EFFECTS_QUEUE, *map(queue_name, stages)])
    except BaseException:
        await storage.aclose()
        raise
    return app


def surroundings(environ: Mapping[str, str]) -> Around:
    """What backends find in an installation with these settings.

    Raises:
        ConfigError: One of them is wrong.
    """
    return _around(read_settings(environ))


def _around(settings: Settings) -> Around:
    from shared.adapters.backends import Around
    from shared.adapters.backends.python import load_functions

    return Around(
        clock=SystemClock(),
        addresses={"": settings.actions_url, **settings.actions_urls},
        secrets=settings.action_secrets,
        development=settings.development,
        mailer=_mailer(settings, SystemClock()),
        functions=load_functions(settings.action_functions),
        tickets=settings.tickets,
        public_url=settings.public_url,
    )


def _mailer(settings: Settings, clock: Clock) -> Mailer | None:
    """What hands mails in; None where nothing is set.

    Raises:
        ConfigError: A setting of it is wrong, or there are two ways.
    """
    from shared.adapters.mail import parse_sender

    acs = settings.acs_connection_string or settings.acs_endpoint
    if settings.smtp_url and acs:
        raise ConfigError(
            "FRONTDESK_SMTP_URL: mail goes one way only. Unset it to send by Azure Communication "
            "Services, or unset FRONTDESK_ACS_CONNECTION_STRING and FRONTDESK_ACS_ENDPOINT."
        )
    if settings.smtp_url:
        from shared.adapters.smtp import MailServer, SmtpMailer

        server = MailServer.parse(settings.smtp_url)
        return SmtpMailer(server, parse_sender(settings.mail_from), clock)
    if acs:
        from shared.adapters.acs import AcsMailer, Resource

        resource = Resource.parse(settings.acs_connection_string, settings.acs_endpoint)
        sender, secret = parse_sender(settings.mail_from), settings.secret.encode()
        return AcsMailer(resource, sender, clock, secret)
    return None


def _sinks(
    settings: Settings,
    connectors: Connectors,
    mailer: Mailer | None,
    clock: Clock,
    desks: Desks,
) -> dict[str, Sink]:
    from shared.adapters.callback import CallbackSecrets, CallbackSink
    from shared.adapters.crm_connectors import VENDORS
    from shared.adapters.crm_sink import CrmSink
    from shared.adapters.email import EmailSink, UnsentMail

    email: Sink = UnsentMail()
    if mailer:
        email = EmailSink(mailer, settings.public_url, clock, _links(settings))
    else:
        _log.warning("no way to send mail is configured: escalations are not mailed")
    secrets = CallbackSecrets(settings.callback_secret, settings.callback_secrets)
    callback = CallbackSink(secrets, clock, development=settings.development)
    sinks: dict[str, Sink] = {"callback": callback, "email": email}
    sinks |= {name: CrmSink(name, connectors, settings.public_url) for name in VENDORS}
    return sinks | _channels(settings, clock, desks)


def _channels(settings: Settings, clock: Clock, desks: Desks) -> dict[str, Sink]:
    from shared.adapters.channels import ChannelSink, WebhookAddresses

    slack = WebhookAddresses(
        "FRONTDESK_SLACK_WEBHOOK",
        settings.slack,
        settings.slack_by_desk,
        development=settings.development,
    )
    teams = WebhookAddresses(
        "FRONTDESK_TEAMS_WEBHOOK",
        settings.teams,
        settings.teams_by_desk,
        development=settings.development,
    )
    links = _links(settings)
    _warn_of_missing(desks, {"slack": slack, "teams": teams})
    return {
        "slack": ChannelSink("slack", slack, settings.public_url, clock, links),
        "teams": ChannelSink("teams", teams, settings.public_url, clock, links),
    }


def _warn_of_missing(desks: Desks, channels: Mapping[str, WebhookAddresses]) -> None:
    for desk in desks.every:
        for contact in desk.tell:
            try:
                if contact.channel in channels:
                    channels[contact.channel].of(desk.name, contact.room)
            except PermanentError as error:
                said = {"desk": desk.name, "who": contact.name, "why": error.detail}
                _log.warning("a channel has no address: its messages fail", extra=said)


def _check_prices(
    model: ModelClient, desks: Desks, budgets: Budgets, stages: Sequence[str]
) -> None:
    if not any(budgets.of(desk).in_money for desk in desks.every):
        return
    calls = (ModelCall(stage, (), "", {}, 0) for stage in stages)
    if unpriced := ", ".join(call.stage for call in calls if model.most(call).cost is None):
        raise ConfigError(
            "FRONTDESK_PRICES: a limit in money is set, and the deployments of these agents have "
            f"no price there: {unpriced}. Name the deployments, or set limits in tokens instead."
        )


def _links(settings: Settings) -> ApprovalLinks:
    return ApprovalLinks(_secret(settings), settings.public_url)


def _secret(settings: Settings) -> bytes:
    if len(settings.secret) >= _WEAK_SECRET:
        return settings.secret.encode()
    if not settings.secret and any(mark in settings.storage for mark in _DEVELOPMENT):
        return b"development only, no secret is needed on a laptop"
    raise ConfigError(
        f"FRONTDESK_SECRET: set it to at least {_WEAK_SECRET} random characters, for example the "
        'output of: python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
    )
