"""Installs what Frontdesk needs on a laptop, under one git-ignored folder.

Runs before anything is installed: standard library only, and heavy modules are imported where they
are used, because every command passes through `prepare`.

The folder is `.frontdesk` beside this package, or FRONTDESK_STATE:

    uv/        the installer, put there by pip
    venv/      Python packages, in layers: see LOCKS
    node/      Node.js from its wheel, where PATH has none that will do
    bin/node   a link to the Node.js in use
    azurite/   the locked Azurite
    stamps/    what each finished step was made from
    data/      what Azurite keeps     logs/  what ran and what it said
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "devkit" / "requirements"
# A layer once installed stays, so that `run` after `test` does not take pytest away again.
LOCKS = {
    "app": ROOT / "requirements.txt",
    "local": REQUIREMENTS / "local.txt",
    "dev": REQUIREMENTS / "dev.txt",
    "model": REQUIREMENTS / "model.txt",
}
AZURITE_INPUTS = [
    ROOT / "devkit" / "azurite" / name for name in ("package.json", "package-lock.json", ".npmrc")
]
MODEL_SETTINGS = (
    "AZURE_OPENAI_ENDPOINT",
    "AZURE_OPEN_AI_ENDPOINT",
    "OPENAI_BASE_URL",
    "OPENAI_API_KEY",
)
#: Whoever hands mails in; the app wants one way at most.
MAIL_SETTINGS = ("FRONTDESK_SMTP_URL", "FRONTDESK_ACS_CONNECTION_STRING", "FRONTDESK_ACS_ENDPOINT")
OLDEST_NODE = 20


class SetupError(Exception):
    """Set-up cannot go on. The message says why and what to do."""


class Layout:
    """Where things are under the state folder."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.uv = state / "uv" / "bin" / "uv"
        self.venv = state / "venv"
        self.python = state / "venv" / "bin" / "python"
        self.node = state / "bin" / "node"
        self.azurite = state / "azurite"
        self.azurite_script = self.azurite / "node_modules/azurite/dist/src/azurite.js"
        self.data = state / "data"
        self.logs = state / "logs"

    def stamp(self, step: str) -> Path:
        """What a finished step was made from, as JSON."""
        return self.state / "stamps" / f"{step}.json"


def layout() -> Layout:
    """The folder of this checkout, or the one that FRONTDESK_STATE names."""
    return Layout(Path(os.environ.get("FRONTDESK_STATE") or ROOT / ".frontdesk").absolute())


def local_settings(app: Path = ROOT) -> dict[str, str]:
    """The values of local.settings.json that are text and not empty.

    Raises:
        SetupError: the file is not JSON of the form {"Values": {NAME: text}}.
    """
    path = app / "local.settings.json"
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig")).get("Values", {})
        return {k: v for k, v in values.items() if isinstance(v, str) and v.strip()}
    except FileNotFoundError:
        return {}
    except json.JSONDecodeError as error:
        raise SetupError(f"{path}, line {error.lineno}: not valid JSON: {error.msg}.") from None
    except (AttributeError, UnicodeDecodeError):
        raise SetupError(f'{path}: must be UTF-8 JSON such as {{"Values": {{}}}}.') from None


def configured_model(settings: dict[str, str]) -> str | None:
    """The name of the first setting that names a model endpoint; the environment wins.

    Args:
        settings: what `local_settings` read.
    """
    return next(iter(configured(settings, *MODEL_SETTINGS)), None)


def configured(settings: Mapping[str, str], *names: str) -> tuple[str, ...]:
    """Those of these names that are set; the environment wins.

    Args:
        settings: what `local_settings` read.
    """
    return tuple(n for n in names if os.environ.get(n, "").strip() or settings.get(n))


def prepare(need: str) -> Layout:
    """Installs what is missing or broken; returns at once when nothing is.

    Args:
        need: `plain` for the app and devkit; `model` for the local model besides; `storage` for
            Azurite; `stack` also for the local model, where no model is configured; `test` for
            everything.

    Raises:
        SetupError: something could not be installed.
    """
    where = layout()
    layers = {"app", "local"}
    if need == "test":
        layers |= {"dev", "model"}
    elif need == "model" or (need == "stack" and configured_model(local_settings()) is None):
        layers.add("model")
    azurite = need not in ("plain", "model")

    if _missing(where, layers, azurite=azurite):
        from devkit.install import Installation, alone

        try:
            with alone(where) as lock:
                # Looked at again: another first use may have done it all while this one waited.
                missing = _missing(where, layers, azurite=azurite)
                if missing:
                    Installation(where, lock).run(missing, layers)
        except OSError as error:
            raise SetupError(
                f"cannot write the folder {where.state} ({error.strerror}). "
                "Make room for it, or name another with FRONTDESK_STATE."
            ) from None
    return where


def hand_over(
    where: Layout, module: str, arguments: Iterable[str], *, in_repository: bool = False
) -> NoReturn:
    """Becomes `python -m module arguments` in the environment that was prepared.

    Args:
        where: what `prepare` returned.
        module: module to run as a program.
        arguments: its command line.
        in_repository: move there first, unless already inside; else the current folder stays.
    """
    if in_repository and not Path.cwd().is_relative_to(ROOT):
        os.chdir(ROOT)
    environment = {**os.environ, "FRONTDESK_STATE": str(where.state), "PYTHONPATH": str(ROOT)}
    for name in ("PYTHONHOME", "VIRTUAL_ENV"):
        environment.pop(name, None)
    sys.stdout.flush()
    sys.stderr.flush()
    # -P: a file in the caller's folder must not stand in for a module.
    command = [str(where.python), "-P", "-m", module, *arguments]
    try:
        os.execve(command[0], command, environment)
    except OSError as error:
        where.stamp("packages").unlink(missing_ok=True)
        raise SetupError(
            f"{where.python} does not start ({error.strerror}). "
            "Run the same command again: it will be replaced."
        ) from None


def _missing(where: Layout, layers: set[str], *, azurite: bool) -> list[str]:
    missing = []
    if not packages_current(where, layers):
        missing.append("packages")
    if azurite and not azurite_current(where):
        missing.append("azurite")
    return missing


def packages_current(where: Layout, layers: set[str]) -> bool:
    """Whether these layers are installed as locked. No process is started to find out."""
    stamp = read_stamp(where, "packages")
    return (
        layers <= set(stamp.get("layers", ()))
        and stamp["inputs"] == digest(LOCKS[layer] for layer in stamp["layers"])
        and venv_intact(where)
    )


def venv_intact(where: Layout) -> bool:
    """Whether the environment is as it was left: the same Python, no package gone."""
    stamp = read_stamp(where, "packages")
    try:
        return (
            os.access(where.python, os.X_OK)
            and stamp["python"] == os.path.realpath(where.python)
            and set(stamp["names"]) <= set(names_in(Path(stamp["site"])))
        )
    except (OSError, KeyError):
        return False


def azurite_current(where: Layout) -> bool:
    """Whether Azurite is installed as locked and its Node.js is there."""
    stamp = read_stamp(where, "azurite")
    try:
        return (
            stamp["inputs"] == digest(AZURITE_INPUTS)
            and os.access(where.node, os.X_OK)
            and where.azurite_script.is_file()
            and set(stamp["names"]) <= set(names_in(where.azurite / "node_modules"))
        )
    except (OSError, KeyError):
        return False


def names_in(folder: Path) -> list[str]:
    """The names of a folder's entries, sorted."""
    return sorted(entry.name for entry in folder.iterdir())


def digest(files: Iterable[Path]) -> str:
    """A hash of the files' contents, in their order."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def read_stamp(where: Layout, step: str) -> dict[str, Any]:
    """What a step noted when it last ended well; empty when it never did."""
    try:
        stamp = json.loads(where.stamp(step).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}
