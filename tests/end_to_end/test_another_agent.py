"""One file and one row make an agent: the steps of CONTRIBUTING.md, done on a copy and run."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from devkit.azurite import Azurite
from devkit.emulator import Emulator
from tests.support.running_host import ROOT, RunningHost

PARTS = ("agents", "desks", "entrypoints", "shared", "function_app.py", "host.json")


def documented_agent() -> str:
    """The file of CONTRIBUTING.md, as a reader would copy it."""
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n(.*?)```", guide, re.DOTALL)
    assert block, "CONTRIBUTING.md shows no agent"
    return re.sub(r"^   ", "", block[1], flags=re.MULTILINE)


def test_an_agent_of_one_file_and_one_row_runs_end_to_end(azurite: Azurite, tmp_path: Path) -> None:
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, tmp_path / part, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / part)
    (tmp_path / "agents" / "translation.py").write_text(documented_agent(), encoding="utf-8")
    listing = tmp_path / "agents" / "__init__.py"
    rows = listing.read_text(encoding="utf-8")
    rows = rows.replace(
        "from agents.sentiment",
        "from agents.translation import TranslationAgent\nfrom agents.sentiment",
    ).replace("    EscalationAgent(),\n", "    EscalationAgent(),\n    TranslationAgent(),\n")
    listing.write_text(rows, encoding="utf-8")

    with (
        Emulator() as emulator,
        RunningHost(
            azurite.connection_string,
            f"{emulator.url}/v1",
            tmp_path,
            FRONTDESK_TABLE_PREFIX="another",
            PYTHONPATH=f"{ROOT / 'devkit' / '..'}",
        ) as host,
    ):
        case = host.settled(host.open("My room is dirty and nobody came."))
        status, _, _ = host.call("GET", "/admin/host/status")
    stages = {s["stage"]: s for s in case["stages"]}
    assert list(stages) == ["customer_query", "sentiment", "escalation", "translation"]
    assert stages["translation"]["state"] == "finished"
    assert set(stages["translation"]["output"]) == {"english"}
    assert case["status"] == "escalated"
    assert status == 200
