"""What is one vendor's own among the ticket systems: late indexes, odd answers, ways to log in."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from devkit.crm.stand_in import Fault
from shared.adapters import tickets
from shared.adapters.backends import Around
from shared.adapters.clocks import SystemClock
from shared.adapters.crm.servicenow import Connector
from shared.adapters.crm_vendor import Access
from shared.adapters.tickets.jira import Jira
from shared.domain.inbound import Delivery
from shared.errors import PermanentError, RetryableError, UncertainError
from tests.contract.test_ticket_systems import HOSTILE
from tests.support.ticket_api import (
    LOOK,
    REFERENCE,
    TICKET,
    ServicenowTickets,
    ZendeskTickets,
    other_ticket,
)
from tests.support.ticket_trackers import GithubTickets, JiraTickets, lively


async def test_jira_finds_an_issue_that_its_index_does_not_show_yet() -> None:
    async with JiraTickets() as api:
        system = api.system()
        api.others(130)
        receipt = await system.create(TICKET)
        api.others(3)
        for behind in (0, 1, 4, 40, 49):
            api.unindexed = behind
            assert await system.find(TICKET) == receipt, behind
        assert await system.find(other_ticket(1)) is None


async def test_jira_finds_the_first_issue_of_a_project_before_it_is_indexed() -> None:
    async with JiraTickets() as api:
        receipt = await api.system().create(TICKET)
        api.unindexed = 1
        assert await api.system().find(TICKET) == receipt


async def test_jira_says_nothing_when_the_newest_issues_cannot_be_read() -> None:
    async with JiraTickets() as api:
        answer = api.answer

        def without_issues(method: str, path: str, query: Any, body: Any) -> Any:
            return None if path.endswith("bulkfetch") else answer(method, path, query, body)

        api.answer = without_issues  # type: ignore[method-assign]
        with pytest.raises(RetryableError) as unsure:
            await api.system().find(TICKET)
        assert unsure.value.code == "ticket_lookup_unreliable"


async def test_jira_says_nothing_while_its_index_is_far_behind() -> None:
    async with JiraTickets() as api:
        api.others(900)
        await api.system().create(TICKET)
        api.unindexed = 800
        with pytest.raises(RetryableError) as unsure:
            await api.system().find(TICKET)
        assert unsure.value.code == "ticket_lookup_unreliable"


async def test_jira_gets_an_issue_without_a_priority_where_a_project_has_none() -> None:
    async with JiraTickets() as api:
        api.prioritised = False
        await api.system().create(TICKET)
        assert "priority" not in api.issues[1]
        with pytest.raises(PermanentError):
            await api.system().check("")


async def test_all_requests_of_an_attempt_together_end_before_the_attempt_does() -> None:
    async with JiraTickets() as api:
        impatient = Jira(Jira.access_of(api.around(), "hotel"), attempt=0.8)
        api.faults.append(Fault(hang=True))
        with pytest.raises(RetryableError) as slow:
            await impatient.find(TICKET)
        assert slow.value.code == "ticket_lookup_too_long"
        api.faults.append(Fault(hang=True, keep=True))
        with pytest.raises(UncertainError) as lost:
            await impatient.create(TICKET)
        assert lost.value.unseen >= 30


async def test_a_refusal_names_the_fields_and_nothing_that_somebody_wrote() -> None:
    secret = replace(TICKET, title="broken hotline 4711", queue="")
    async with JiraTickets() as jira, ZendeskTickets() as zendesk, GithubTickets() as github:
        refused = [
            (jira.system(TYPE="Bug"), secret, "about issuetype"),
            (jira.system(), replace(secret, queue="FIN"), "about project"),
            (zendesk.system(), replace(secret, queue="7"), "about group_id"),
            (github.system(), secret, "about title"),
        ]
        for system, ticket, about in refused:
            with pytest.raises(PermanentError) as error:
                await system.create(ticket)
            assert about in error.value.detail
            assert "4711" not in str(error.value)


async def test_a_vendor_that_answers_with_other_tickets_has_said_nothing() -> None:
    async with ZendeskTickets() as zendesk, ServicenowTickets() as servicenow:
        zendesk.heeds_filter = servicenow.heeds_query = False
        for api in (zendesk, servicenow):
            system = api.system()
            assert await system.find(TICKET) is None, "there is no ticket at all"
            await system.create(other_ticket(1))
            with pytest.raises(RetryableError) as unsure:
                await system.find(TICKET)
            assert unsure.value.code == "ticket_lookup_unreliable"


async def test_zendesk_makes_one_ticket_of_the_same_request_sent_twice() -> None:
    async with ZendeskTickets() as api:
        system = api.system()
        assert await system.create(TICKET) == await system.create(TICKET)
        await system.create(replace(TICKET, text="another text, so another key"))
        assert api.ledger == [REFERENCE] * 2


async def test_zendesk_takes_an_oauth_token() -> None:
    async with ZendeskTickets() as api:
        assert await api.system(EMAIL="", TOKEN="oauth").create(TICKET)


async def test_servicenow_takes_a_clients_token_and_a_new_one_when_it_ends() -> None:
    async with ServicenowTickets() as api:
        client = {"CLIENT_ID": "client", "CLIENT_SECRET": "hidden", "PASSWORD": ""}
        system = api.system(**client)
        await system.create(TICKET)
        api.tokens += 1
        assert await system.find(TICKET)
        assert api.tokens == 3
        with pytest.raises(PermanentError) as refused:
            await api.system(**{**client, "CLIENT_SECRET": "wrong"}).create(TICKET)
        assert refused.value.code == "ticket_access_refused"


async def test_an_incident_that_we_opened_is_no_customers_message() -> None:
    async with ServicenowTickets() as api:
        await api.system().create(replace(TICKET, text=f"{TICKET.text}\n\n" + "long " * 1500))
        said = api.incidents[0]["description"]
        assert LOOK in said, "what is cut is not our part"
        told = {"sys_id": "0" * 31 + "1", "short_description": "x", "description": said}
        connector = Connector(Access("", {}))
        (event,) = connector.read(Delivery(url="", headers={}, body=json.dumps(told).encode()))
        assert event.kind == "echo"


async def test_github_looks_behind_what_others_opened_and_no_further_than_the_case() -> None:
    async with GithubTickets() as api:
        api.others(500, at=api.now - timedelta(days=30))
        system = api.system()
        receipt = await system.create(TICKET)
        api.others(250)
        assert await system.find(TICKET) == receipt
        calls = len(api.requests)
        assert await system.find(other_ticket(1)) is None
        assert len(api.requests) == calls + 6, "issues of before the case are not read"


async def test_github_says_nothing_when_there_are_too_many_issues_to_read() -> None:
    async with GithubTickets() as api:
        api.others(2100)
        with pytest.raises(RetryableError) as unsure:
            await api.system().find(TICKET)
        assert unsure.value.code == "ticket_lookup_too_long"


async def test_github_finds_an_issue_whose_labels_were_left_out() -> None:
    async with GithubTickets() as api:
        api.pushes = False
        system = api.system()
        receipt = await system.create(TICKET)
        assert api.issues[0]["labels"] == []
        assert await system.find(TICKET) == receipt
        assert "labels need" in await system.check("")


async def test_nothing_that_others_wrote_is_a_mention_a_reference_or_a_link_on_github() -> None:
    assert len(lively(HOSTILE)) > 6
    async with GithubTickets() as api:
        ticks = ("`" * 7, "````text", "~~~", "   ```", "``` ```")
        for text in (HOSTILE, *(f"{tick}\n@team #1\n{HOSTILE}" for tick in ticks), "x " * 4000):
            await api.system().create(replace(TICKET, title="see @team, #12, GH-3", text=text))
            title, body = api.shown()
            assert lively(title) == []
            assert lively(body) == [], body


async def test_github_takes_an_apps_key_and_asks_for_a_token_once_an_hour() -> None:
    async with GithubTickets() as api:
        system = api.system(**api.app)
        await system.create(TICKET)
        assert await system.find(TICKET)
        assert api.given == 1
        api.given += 1
        assert await system.find(TICKET)
        assert api.given == 3, "a token that ended is renewed"
        for wrong in ({"KEY": "no key"}, {"INSTALLATION": "78"}, {"APP": "other"}):
            with pytest.raises(PermanentError):
                await api.system(**{**api.app, **wrong}).create(TICKET)


def test_settings_for_no_desk_or_system_are_named() -> None:
    given = [
        "JIRA_URL",
        "HOTEL_GITHUB_KEY",
        "BANK_JIRA_TYPE",
        "JIRA_URI",
        "HOTL_JIRA_URL",
        "TRELLO_KEY",
    ]
    assert tickets.unknown_settings(given, iter(["BANK", "HOTEL"])) == [
        "FRONTDESK_TICKETS_HOTL_JIRA_URL",
        "FRONTDESK_TICKETS_JIRA_URI",
        "FRONTDESK_TICKETS_TRELLO_KEY",
    ]


def test_a_desks_own_settings_replace_those_for_all_and_are_never_mixed_with_them() -> None:
    every = {"JIRA_URL": "https://a.example.com", "JIRA_TOKEN": "t", "JIRA_EMAIL": "e"}
    around = Around(SystemClock(), tickets={**every, "HOTEL_JIRA_URL": "https://b.example.com"})
    jira = tickets.load("jira")
    assert jira.missing(around, "bank", "OPS") == ""
    assert jira.missing(around, "hotel", "OPS") == "set FRONTDESK_TICKETS_HOTEL_JIRA_EMAIL"
