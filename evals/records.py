"""What was measured so far, item by item, on disk: a run that was stopped goes on from there."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from evals.errors import EvalError
from shared.domain.stage import Record, Usage


class ItemRecord(Record):
    """What one item came to, once.

    Attributes:
        repeat: The first is 1.
        errors: Codes of stages that could not be finished, or why intake refused the message.
        prompts: Prompt hash by stage.
        outputs: What the model answered, by stage.
        latency_ms: Milliseconds spent waiting for the model, over all stages.
        seconds: From intake to the end.
    """

    id: str
    repeat: int
    outcome: Any
    errors: tuple[str, ...] = ()
    model: str = ""
    prompts: dict[str, str]
    outputs: dict[str, Any]
    usage: Usage = Usage()
    latency_ms: int = 0
    seconds: float = 0.0


class Records:
    """A JSON-lines file of item records; open in one process at a time.

    Args:
        path: Where. A line that was cut off by a kill is dropped.
        about: What the records depend on; the first line of the file, for people.
        fresh: Forget what is there.

    Attributes:
        known: Records by item and repeat.
        added: How many of them are new.

    Raises:
        EvalError: Another process has it open, or it cannot be written.
    """

    def __init__(self, path: Path, about: Mapping[str, Any], *, fresh: bool) -> None:
        self.path = path
        self.known: dict[tuple[str, int], ItemRecord] = {}
        self.added = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise EvalError(f"the same eval is running in another process ({path})") from None
        if fresh:
            self._file.truncate(0)
        self._read()
        if self._file.tell() == 0:
            self._write({"about": dict(about)})

    def add(self, record: ItemRecord) -> None:
        """Keep a record, also if the process is killed right after."""
        self.known[record.id, record.repeat] = record
        self.added += 1
        self._write(record.model_dump(mode="json"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def _read(self) -> None:
        self._file.seek(0)
        whole = 0
        for line in self._file:
            try:
                value = json.loads(line)
            except ValueError:
                break
            whole += len(line)
            if "about" not in value:
                record = ItemRecord.model_validate(value)
                self.known[record.id, record.repeat] = record
        self._file.truncate(whole)
        self._file.seek(0, os.SEEK_END)

    def _write(self, value: Mapping[str, Any]) -> None:
        line = json.dumps(value, separators=(",", ":"))
        self._file.write(line.encode() + b"\n")
        self._file.flush()
