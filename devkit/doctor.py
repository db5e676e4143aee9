"""`./frontdesk doctor`: what is installed, what runs, what is set, what is missing, what to do.

Names of settings are shown, never their values.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from devkit.setup import (
    MAIL_SETTINGS,
    ROOT,
    Layout,
    SetupError,
    azurite_current,
    configured,
    configured_model,
    layout,
    local_settings,
    packages_current,
    read_stamp,
)
from devkit.stack import DEFAULT_PORT, Stack

SAMPLE = ROOT / "local.settings.sample.json"
CONNECT_LIMIT = 3.0  # seconds for the model's endpoint to take a connection
#: How names begin that end in a stage, a desk or the like; the app has the same list.
FAMILIES = (
    "FRONTDESK_DEPLOYMENT_",
    "FRONTDESK_EFFORT_",
    "FRONTDESK_MAX_OUTPUT_TOKENS_",
    "FRONTDESK_MODEL_TIMEOUT_SECONDS_",
    "FRONTDESK_CALLBACK_SECRET_",
    "FRONTDESK_ACTIONS_URL_",
    "FRONTDESK_SLACK_WEBHOOK_",
    "FRONTDESK_TEAMS_WEBHOOK_",
    "FRONTDESK_ACTION_SECRET_",
    "FRONTDESK_CRM_",
    "FRONTDESK_TICKETS_",
)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        area: Installed, Running or Settings.
        name: what was looked at.
        verdict: `ok`; `note` for what is fine but good to know; `problem` for what needs a person.
        detail: what was found.
        advice: what to do about it; empty when nothing.
    """

    area: str
    name: str
    verdict: Literal["ok", "note", "problem"]
    detail: str
    advice: str = ""


def main(arguments: list[str]) -> int:
    """Prints the findings.

    Returns:
        0 when none of them is a problem, 1 otherwise.
    """
    parser = argparse.ArgumentParser(
        prog="frontdesk doctor",
        description="Say what is installed, what runs, what is missing and what to do about it.",
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    options = parser.parse_args(arguments)

    findings = examine(layout())
    healthy = all(finding.verdict != "problem" for finding in findings)
    if options.json:
        report = {"ok": healthy, "findings": [asdict(finding) for finding in findings]}
        print(json.dumps(report, indent=2))
    else:
        print(_table(findings))
    return 0 if healthy else 1


def examine(where: Layout) -> list[Finding]:
    """Everything there is to say about this checkout and its state folder."""
    try:
        settings, broken = local_settings(), None
    except SetupError as error:
        settings, broken = {}, str(error)
    return [
        *_installed(where, model_needed=configured_model(settings) is None),
        *_running(where, settings),
        *_settings(settings, broken),
    ]


def _installed(where: Layout, *, model_needed: bool) -> Iterator[Finding]:
    area = "Installed"
    yield Finding(area, "Python", "ok", f"{platform.python_version()} in {sys.prefix}")

    stamp = read_stamp(where, "packages")
    if packages_current(where, {"app", "local"}):
        yield Finding(area, "Python packages", "ok", "as locked: " + ", ".join(stamp["layers"]))
    else:
        advice = "run any verb of ./frontdesk; it installs or repairs them"
        yield Finding(area, "Python packages", "note", "not as locked", advice)

    if azurite_current(where):
        yield Finding(area, "Azurite", "ok", f"as locked, with Node.js {_version(where.node)}")
    else:
        advice = "./frontdesk run installs or repairs it"
        yield Finding(area, "Azurite", "note", "not as locked, or not installed", advice)

    if "model" in stamp.get("layers", ()):
        yield Finding(area, "Local model", "ok", "as locked")
    elif model_needed:
        yield Finding(area, "Local model", "note", "not installed", "./frontdesk run installs it")
    else:
        yield Finding(area, "Local model", "ok", "not needed: a model endpoint is set")

    func = shutil.which("func")
    detail = f"{_version(func)} at {func}" if func else "not on PATH; devkit's host takes its place"
    yield Finding(area, "Core Tools", "ok", detail)


def _running(where: Layout, settings: dict[str, str]) -> Iterator[Finding]:
    area, port = "Running", DEFAULT_PORT
    if Stack.running(port):
        yield Finding(area, "Host", "ok", f"answers on port {port}")
    elif _connects("127.0.0.1", port):
        advice = f"stop it, or use ./frontdesk run --port with another port than {port}"
        yield Finding(area, "Host", "problem", f"port {port} is taken by another program", advice)
    else:
        yield Finding(area, "Host", "note", "does not run", "./frontdesk run starts it")

    in_use = _locked(where.data / "in-use.lock")
    detail = f"runs over {where.data}" if in_use else "does not run; starts with the host"
    yield Finding(area, "Azurite", "ok", detail)

    name = configured_model(settings)
    if name is None:
        advice = "for good answers set AZURE_OPENAI_ENDPOINT or OPENAI_BASE_URL"
        detail = "none is set: the local model answers, in demo quality"
        yield Finding(area, "Model endpoint", "note", detail, advice)
        return
    url = os.environ.get(name, "").strip() or settings.get(name, "")
    if name == "OPENAI_API_KEY":
        name, url = "api.openai.com", "https://api.openai.com"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        advice = "give it a value such as https://NAME.openai.azure.com"
        yield Finding(area, "Model endpoint", "problem", f"{name} is not a web address", advice)
    elif _connects(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)):
        yield Finding(area, "Model endpoint", "ok", f"{name} takes connections")
    else:
        advice = "check the value, the network, and that the server runs"
        yield Finding(area, "Model endpoint", "problem", f"{name} cannot be reached", advice)


def _settings(settings: dict[str, str], broken: str | None) -> Iterator[Finding]:
    area = "Settings"
    if broken:
        yield Finding(area, "local.settings.json", "problem", broken, "mend the file")
    elif not (ROOT / "local.settings.json").is_file():
        advice = f"copy {SAMPLE.name} to local.settings.json to set something"
        yield Finding(
            area, "local.settings.json", "note", "not there; all is at its default", advice
        )
    known = _known_settings()
    for name in sorted(known | set(settings)):
        if os.environ.get(name, "").strip():
            yield Finding(area, name, "ok", "set in the environment")
        elif name in settings and (name in known or name.startswith(FAMILIES)):
            yield Finding(area, name, "ok", "set in local.settings.json")
        elif name in settings:
            detail = "set in local.settings.json, but not a setting of Frontdesk"
            yield Finding(area, name, "note", detail, f"see {SAMPLE.name} for the names")
    yield _mail(area, settings)
    yield Finding(
        area, "Desk files", "note", "not tried here", "./frontdesk actions check tries them"
    )


def _mail(area: str, settings: dict[str, str]) -> Finding:
    smtp, *acs = MAIL_SETTINGS
    ways = configured(settings, *MAIL_SETTINGS)
    if not ways:
        advice = f"set {smtp} or {acs[-1]} to send mails"
        return Finding(area, "Mail", "note", "is shown by ./frontdesk run, and not sent", advice)
    if len(ways) > 1:
        return Finding(area, "Mail", "problem", f"goes one way: {', '.join(ways)}", "keep one")
    if not configured(settings, "FRONTDESK_MAIL_FROM"):
        advice = "set it to the address that mail comes from"
        return Finding(area, "Mail", "problem", "FRONTDESK_MAIL_FROM is not set", advice)
    by = "a mail server" if ways == (smtp,) else "Azure Communication Services"
    return Finding(area, "Mail", "ok", f"is sent by {by}")


def _known_settings() -> set[str]:
    if not SAMPLE.is_file():
        return set()
    return set(json.loads(SAMPLE.read_text(encoding="utf-8"))["Values"])


def _version(program: str | Path | None) -> str:
    try:
        answer = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return "(does not start)"
    return answer.stdout.strip()


def _connects(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), CONNECT_LIMIT).close()
    except OSError:
        return False
    return True


def _locked(lock: Path) -> bool:
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def _table(findings: list[Finding]) -> str:
    width = max(len(finding.name) for finding in findings)
    lines: list[str] = []
    area = ""
    for finding in findings:
        if finding.area != area:
            area = finding.area
            lines += ["", area] if lines else [area]
        lines.append(f"  {finding.verdict:<8}{finding.name:<{width}}  {finding.detail}")
        if finding.advice:
            lines.append(f"  {'':<8}{'':<{width}}  → {finding.advice}")
    problems = sum(finding.verdict == "problem" for finding in findings)
    lines += ["", f"{problems} to mend." if problems else "Nothing to mend."]
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code)
