"""Reads our own golden cases: a YAML file a desk, every case with what should come of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from evals.errors import EvalError
from evals.items import Data
from shared.adapters.desk_files import load_desks
from shared.bootstrap import ROOT
from shared.domain.desk import Desk, Desks

FOLDER = ROOT / "evals" / "golden"

#: What is at stake, or a person is asked for: the words of such a message alone should escalate it.
Grave = Literal["safety", "legal", "fraud", "privacy", "media", "harassment", "person"]
What = Literal["complaint", "question", "thanks", "empty", "several", "attack", "look-alike"]
How = Literal["calm", "furious", "sarcasm", "trivial"]
Tag = Grave | What | How


class GoldenCase(BaseModel):
    """One message and what should come of it.

    Attributes:
        id: Unique in its file.
        language: ISO 639-1.
        required: Actions that must be proposed.
        allowed: Actions that may be proposed besides.
        management: Whether upper management should hear of it; None where either is fine.
        held_out: Nothing was tuned on it: written when the lists of words were finished.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    message: str
    language: str = "en"
    escalate: bool
    required: list[str] = []
    allowed: list[str] = []
    management: bool | None = None
    tags: list[Tag]
    held_out: bool = False

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if not self.escalate and (self.required or self.management):
            raise ValueError("required actions and management need escalate: true")
        if twice := set(self.required) & set(self.allowed):
            raise ValueError(f"required and allowed at once: {', '.join(sorted(twice))}")
        return self


class _Place(NamedTuple):
    file: Path
    line: int

    def error(self, reason: str) -> EvalError:
        where = f"{self.file.parent.name}/{self.file.name}:{self.line}"
        return EvalError(f"{where}: {' '.join(reason.split())}")


def load_golden(folder: Path = FOLDER) -> Data:
    """Every case of every ``*.yaml`` in the folder, as rows with ``id``, ``text`` and ``desk``.

    Raises:
        EvalError: The first thing that is wrong, as ``golden/hotel.yaml:17: reason``.
    """
    desks, whole = load_desks(ROOT / "desks"), hashlib.sha256()
    rows: dict[str, dict[str, Any]] = {}
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise EvalError(f"{folder}: no golden cases; they are *.yaml, one file a desk")
    for file in files:
        content = file.read_bytes()
        whole.update(content)
        desk = _desk(file, desks)
        for place, case in _cases(file, content):
            name = f"{desk.name}/{case.id}"
            if name in rows:
                raise place.error(f"a second case with the id {case.id}")
            for action in (*case.required, *case.allowed):
                if desk.action(action) is None:
                    raise place.error(f"{action} is not in the catalogue of desks/{desk.name}.yaml")
            about = case.model_dump(exclude={"id", "message"})
            rows[name] = {**about, "id": name, "text": case.message, "desk": desk.name}
    return Data(folder.name, whole.hexdigest(), tuple(rows.values()))


def _desk(file: Path, desks: Desks) -> Desk:
    desk = desks.get(file.stem)
    if desk is None:
        raise _Place(file, 1).error(f"there is no desk {file.stem}")
    return desk


def _cases(file: Path, content: bytes) -> Iterator[tuple[_Place, GoldenCase]]:
    try:
        root = yaml.compose(content, yaml.SafeLoader)
        values = yaml.safe_load(content)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise _Place(file, line).error(f"not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise _Place(file, 1).error(f"not YAML: {error}") from None
    if not isinstance(root, yaml.SequenceNode):
        raise _Place(file, 1).error("must be a list of cases, each beginning with '- id: …'")
    for node, value in zip(root.value, values, strict=True):
        place = _Place(file, node.start_mark.line + 1)
        try:
            case = GoldenCase.model_validate(value)
        except ValidationError as error:
            found = error.errors(include_url=False)[0]
            field = str(found["loc"][0]) if found["loc"] else ""
            at = _Place(file, _line_of(node, field) or place.line)
            said = found["msg"].removeprefix("Value error, ")
            raise at.error(f"{field}: {said}" if field else said) from None
        yield place, case


def _line_of(node: yaml.Node, field: str) -> int | None:
    if isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if key.value == field:
                return int(key.start_mark.line) + 1
    return None
