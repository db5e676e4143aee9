"""What is measured on: rows of a CSV or JSON-lines file, always the same ones in the same order."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evals.errors import EvalError

DEFAULT_DESK = "default"


@dataclass(frozen=True, slots=True)
class Item:
    """One message to work on, and what is known about it.

    Attributes:
        id: Unique in its data.
        scene: Free text instead of a desk; None for the desk.
        row: The row that it comes from, with what is expected.
    """

    id: str
    text: str
    desk: str = DEFAULT_DESK
    scene: str | None = None
    row: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Data:
    """A file of rows.

    Attributes:
        name: How people and baselines call it: folder and file, without the ending.
        digest: SHA-256 of the bytes: two files of the same name are told apart.
        rows: Each with ``id`` and at least the columns that were asked for.
    """

    name: str
    digest: str
    rows: tuple[Mapping[str, Any], ...]


def read_data(path: Path, columns: Sequence[str]) -> Data:
    """Every row of a ``.csv`` or ``.jsonl`` file.

    Args:
        columns: Those that each row must have, with text in the first of them.

    Raises:
        EvalError: The file is missing, no CSV or JSON lines, or lacks a column.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EvalError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EvalError(f"{path}:{line}: not UTF-8") from None
    read = {".csv": _csv, ".jsonl": _json_lines}.get(path.suffix.lower())
    if read is None:
        raise EvalError(f"{path}: must end in .csv or .jsonl")
    rows: dict[str, Mapping[str, Any]] = {}
    for line, row in read(path, text):
        missing = [name for name in columns if row.get(name) is None]
        if missing:
            raise EvalError(
                f"{path}:{line}: no {missing[0]!r}; a row needs the columns {', '.join(columns)}"
            )
        if not isinstance(row[columns[0]], str):
            raise EvalError(f"{path}:{line}: {columns[0]!r} is not text")
        name = str(row.get("id") or _digest(json.dumps(row, sort_keys=True, default=str))[:12])
        if name in rows:
            raise EvalError(f"{path}:{line}: a second row with the id {name!r}")
        rows[name] = {**row, "id": name}
    if not rows:
        raise EvalError(f"{path}: no rows")
    name = "-".join(part for part in (path.resolve().parent.name, path.stem) if part)
    return Data(name, hashlib.sha256(content).hexdigest(), tuple(rows.values()))


def shuffled(items: Sequence[Item], seed: int) -> list[Item]:
    """The items in an order that depends on nothing but their ids and the seed.

    The first hundred of them are part of the first six hundred, on every machine.
    """
    return sorted(items, key=lambda item: _digest(f"{seed} {item.id}"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _csv(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise EvalError(f"{path}:{reader.line_num}: more or fewer fields than the head has")
            yield reader.line_num, row
    except csv.Error as error:
        raise EvalError(f"{path}:{reader.line_num}: {error}") from None


def _json_lines(path: Path, text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise EvalError(f"{path}:{number}: not a JSON object")
        yield number, row
