"""What Azure sees: every function, its bindings, and how light the import is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents import PIPELINE

ROOT = Path(__file__).resolve().parent.parent
#: Imported by the first call that needs them, never by indexing the functions.
HEAVY = (
    "openai", "azure.storage.blob", "azure.storage.queue", "azure.data.tables", "azure.identity",
    "aiohttp", "aiosmtplib", "jinja2", "yaml",
)  # fmt: skip
_PROBE = """
import json, sys, time
from inspect import signature
before = time.perf_counter()
import function_app
seconds = time.perf_counter() - before
repr_of = lambda binding: binding.get_dict_repr()
functions = [
    {"name": f.get_function_name(), "parameters": list(signature(f.get_user_function()).parameters),
     "bindings": list(map(dict, map(repr_of, f.get_bindings())))}
    for f in function_app.app.get_functions()
]
found = {"seconds": seconds, "modules": sorted(sys.modules), "functions": functions}
print(json.dumps(found, default=str))
"""


@pytest.fixture(scope="module")
def probe() -> dict[str, Any]:
    """function_app as a fresh worker without any setting imports it."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBE],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def bindings(probe: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Trigger bindings of one kind, by function name."""
    return {
        function["name"]: binding
        for function in probe["functions"]
        for binding in function["bindings"]
        if binding["type"] == kind
    }


def test_every_stage_has_its_function_and_its_poison_function(probe: dict[str, Any]) -> None:
    queues = {name: b["queueName"] for name, b in bindings(probe, "queueTrigger").items()}
    expected = {
        "effects": "effects",
        "effects_poison": "effects-poison",
        "fetch": "stage-fetch",
        "fetch_poison": "stage-fetch-poison",
        "unpack": "stage-unpack",
        "unpack_poison": "stage-unpack-poison",
    }
    for agent in PIPELINE:
        queue = "stage-" + agent.stage.replace("_", "-")
        expected |= {agent.stage: queue, f"{agent.stage}_poison": f"{queue}-poison"}
    assert queues == expected
    assert {b["connection"] for b in bindings(probe, "queueTrigger").values()} == {
        "AzureWebJobsStorage"
    }


def test_every_route_is_there_and_only_what_has_its_own_proof_needs_no_key(
    probe: dict[str, Any],
) -> None:
    routes = {
        (method.removeprefix("HttpMethod."), b["route"]): b["authLevel"].removeprefix("AuthLevel.")
        for b in bindings(probe, "httpTrigger").values()
        for method in b["methods"]
    }
    assert set(routes) >= {
        ("POST", "cases"),
        ("POST", "cases/{case_id}/messages"),
        ("GET", "cases"),
        ("GET", "cases/{case_id}"),
        ("POST", "cases/{case_id}/cancel"),
        ("POST", "cases/{case_id}/replay"),
        ("POST", "cases/{case_id}/actions/{action}/approve"),
        ("POST", "cases/{case_id}/actions/{action}/reject"),
        ("POST", "cases/{case_id}/actions/{action}/done"),
        ("GET", "approvals"),
        ("GET", "parked"),
        ("GET", "quarantine"),
        ("GET", "budget"),
        ("GET", "desks"),
        ("GET", "health"),
    }
    assert {route for route, level in routes.items() if level != "FUNCTION"} == {
        ("GET", "health"),
        ("GET", "decide/{token}"),
        ("POST", "decide/{token}"),
        ("POST", "webhooks/{desk}/{vendor}"),
    }


def test_every_handler_names_its_parameter_as_its_binding(probe: dict[str, Any]) -> None:
    """The worker refuses to index the whole app otherwise."""
    for function in probe["functions"]:
        triggers = [b["name"] for b in function["bindings"] if b["type"].endswith("Trigger")]
        assert function["parameters"] == triggers, function["name"]


def test_the_sweep_runs_every_minute_and_the_poll_every_five(probe: dict[str, Any]) -> None:
    timers = bindings(probe, "timerTrigger")
    assert timers["sweep"]["schedule"] == "0 * * * * *"
    assert timers["poll"]["schedule"] == "0 */5 * * * *"
    assert timers["digests"]["schedule"] == "0 5,20,35,50 * * * *"


def test_indexing_imports_nothing_heavy(
    probe: dict[str, Any], record_property: Callable[[str, object], None]
) -> None:
    record_property("import_seconds", probe["seconds"])
    # Shown with -s.
    print(f"import function_app: {probe['seconds']:.2f} s")  # noqa: T201
    assert [name for name in HEAVY if name in probe["modules"]] == []


def test_agent_names_are_unique_and_every_after_comes_before() -> None:
    seen: list[str] = []
    for agent in PIPELINE:
        assert agent.stage not in seen
        assert set(agent.after) <= set(seen), f"{agent.stage} comes after a later row"
        seen.append(agent.stage)
