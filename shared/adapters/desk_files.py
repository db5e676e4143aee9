"""Reads the desk files. People write them by hand, so every error says where and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shared.adapters.backends import Around
from shared.adapters.desk_backends import Ask
from shared.adapters.desk_document import Document, Problem, UnreadableError, read_text
from shared.domain.desk import DEFAULT_DESK, Desk, Desks
from shared.errors import ConfigError
from shared.telemetry import logger

_log = logger("desks")


def load_desks(folder: Path, around: Around | None = None) -> Desks:
    """Every ``*.yaml`` and ``*.yml`` of the folder.

    An action whose backend lacks something here, such as an address, is for people to carry out
    by hand, and a ticket that cannot be opened is not; the log says so, with file and line.

    Args:
        around: What backends find in this installation; None to take the files by themselves.

    Raises:
        ConfigError: One line per problem of all files, as ``desks/hotel.yaml:17: field: reason``.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder; the desk files live there")
    desks: dict[str, Desk] = {}
    said: list[str] = []
    files = _files(folder)
    if not any(file.stem == DEFAULT_DESK for file in files):
        said.append(f"{folder.name}/{DEFAULT_DESK}.yaml: missing; scenes in free text need it")
    for file in files:
        desk, problems, lacking = _read(file, around)
        for line, reason in lacking:
            where = f"{folder.name}/{file.name}:{line}"
            extra = {"where": where, "why": reason}
            _log.warning("left to people: it lacks a setting", extra=extra)
        if desk and desk.name in desks:
            problems = [Problem(1, f"there are two files for the desk {desk.name}; remove one")]
        elif desk:
            desks[desk.name] = desk
        for line, reason in problems:
            said.append(f"{folder.name}/{file.name}:{line}: {' '.join(reason.split())}")
    if said:
        raise ConfigError("\n".join(said))
    return Desks(tuple(desks.values()))


def asks_in(folder: Path, around: Around) -> Iterator[tuple[str, Ask]]:
    """What valid desk files ask for outside, each with its place, as ``desks/hotel.yaml:17``."""
    for file in _files(folder):
        for line, ask in Document(read_text(file)).asks(around):
            yield f"{folder.name}/{file.name}:{line}", ask


def _files(folder: Path) -> list[Path]:
    return [
        file
        for file in sorted(folder.iterdir())
        if file.suffix.lower() in (".yaml", ".yml") and not file.name.startswith(".")
    ]


def _read(file: Path, around: Around | None) -> tuple[Desk | None, list[Problem], list[Problem]]:
    """The desk of one file, or all that is wrong with it, by line; and what it lacks here."""
    try:
        document = Document(read_text(file))
    except UnreadableError as error:
        return None, [error.problem], []
    lacking = document.left_to_people(around) if around else []
    desk, problems = document.desk(f"{file.parent.name}/{file.name}")
    name = document.data.get("name")
    if isinstance(name, str) and name != file.stem:
        reason = f"name: {name!r} differs from the file's name, {file.stem!r}; change one of them"
        problems.append(Problem(document.line(("name",)), reason))
    return (None if problems else desk), sorted(problems), lacking
