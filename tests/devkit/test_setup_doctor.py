from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devkit import doctor, setup
from shared import settings

SECRET = "sk-not-for-anybody"


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout in which nothing is installed, set or running."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        monkeypatch.setattr(doctor, "DEFAULT_PORT", probe.getsockname()[1])
    sample = {"Values": dict.fromkeys(["AzureWebJobsStorage", *setup.MODEL_SETTINGS], "")}
    (tmp_path / "local.settings.sample.json").write_text(json.dumps(sample))
    monkeypatch.setattr(doctor, "ROOT", tmp_path)
    monkeypatch.setattr(doctor, "SAMPLE", tmp_path / "local.settings.sample.json")
    monkeypatch.setattr(doctor, "local_settings", lambda: setup.local_settings(tmp_path))
    monkeypatch.setenv("FRONTDESK_STATE", str(tmp_path / "state"))
    for name in sample["Values"]:
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def findings(capsys: pytest.CaptureFixture[str], expected_code: int) -> dict[str, dict[str, str]]:
    assert doctor.main(["--json"]) == expected_code
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is (expected_code == 0)
    return {finding["name"]: finding for finding in report["findings"]}


def test_fresh_checkout_is_healthy_and_says_what_will_be_installed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found = findings(capsys, 0)

    assert found["Azurite"]["verdict"] == "ok" or "run" in found["Azurite"]["advice"]
    assert found["Local model"]["advice"] == "./frontdesk run installs it"
    assert found["Host"]["detail"] == "does not run"
    assert found["Model endpoint"]["verdict"] == "note"


def test_settings_of_a_desk_and_vendor_are_known(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "FRONTDESK_CRM_HOTEL_ZENDESK_SECRET"
    (checkout / "local.settings.json").write_text(json.dumps({"Values": {name: SECRET}}))
    assert findings(capsys, 0)[name]["verdict"] == "ok"
    assert set(doctor.FAMILIES) == set(settings._PREFIXES)


def test_how_mail_goes_out_is_said_and_two_ways_are_a_problem(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*setup.MAIL_SETTINGS, "FRONTDESK_MAIL_FROM"):
        monkeypatch.delenv(name, raising=False)
    assert findings(capsys, 0)["Mail"]["verdict"] == "note"
    monkeypatch.setenv("FRONTDESK_ACS_CONNECTION_STRING", f"endpoint=x;accesskey={SECRET}")
    assert findings(capsys, 1)["Mail"]["detail"] == "FRONTDESK_MAIL_FROM is not set"
    monkeypatch.setenv("FRONTDESK_MAIL_FROM", "frontdesk@example.com")
    assert findings(capsys, 0)["Mail"]["detail"] == "is sent by Azure Communication Services"
    monkeypatch.setenv("FRONTDESK_SMTP_URL", f"smtp://u:{SECRET}@mail.example.com")
    found = findings(capsys, 1)["Mail"]
    assert found["detail"].endswith("FRONTDESK_SMTP_URL, FRONTDESK_ACS_CONNECTION_STRING")
    assert (found["verdict"], found["advice"]) == ("problem", "keep one")


def test_settings_are_named_and_their_values_never_shown(
    checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"OPENAI_API_KEY": SECRET, "OPENAI_BASE_URL": "", "OPENAI_API_KEI": SECRET}
    (checkout / "local.settings.json").write_text(json.dumps({"Values": values}))
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"ftp://{SECRET}")

    assert doctor.main([]) == 1

    shown = capsys.readouterr().out
    assert "AZURE_OPENAI_ENDPOINT is not a web address" in shown
    assert "set in local.settings.json, but not a setting of Frontdesk" in shown
    assert "1 to mend." in shown
    assert SECRET not in shown


def test_port_of_another_program_is_a_problem(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setattr(doctor, "DEFAULT_PORT", taken.getsockname()[1])

        found = findings(capsys, 1)

    assert "taken by another program" in found["Host"]["detail"]


def test_model_that_cannot_be_reached_is_a_problem(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{free_port}/v1")

    found = findings(capsys, 1)

    assert found["Model endpoint"]["detail"] == "OPENAI_BASE_URL cannot be reached"
    assert found["Local model"]["detail"] == "not needed: a model endpoint is set"


def test_broken_settings_file_is_a_problem_with_its_line(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "local.settings.json").write_text("{\n]")

    found = findings(capsys, 1)

    assert "line 2: not valid JSON" in found["local.settings.json"]["detail"]


def test_a_reader_that_leaves_early_is_no_traceback() -> None:
    command = f"{sys.executable} -m devkit.doctor | true"
    ended = subprocess.run(
        ["sh", "-c", command], cwd=setup.ROOT, capture_output=True, timeout=30, check=False
    )
    assert ended.stderr == b""
