"""One desk file as a document: its values, and for each the place in the text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, get_args

import yaml
from pydantic import BaseModel, ValidationError

from shared.adapters.backends import Around
from shared.adapters.desk_backends import Ask, DeskBackends
from shared.domain.desk import Desk

_MAX_BYTES = 128 * 1024
_MAX_DEPTH = 12

#: "Ask at desk #3": YAML takes " #3" for a comment, and the text would be cut without a word.
_GLUED_COMMENT = re.compile(r"[ \t]+#\S")

#: Lists whose items may not share a name, and the field that holds it.
_NAMED_BY = {
    "actions": "name",
    "arguments": "name",
    "acknowledgements": "language",
    "reactions": "name",
    "texts": "language",
    "windows": "name",
    "sla": "urgency",
}

_Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """What is wrong, and in which line."""

    line: int
    reason: str


class UnreadableError(Exception):
    """A file that is no desk at all.

    Args:
        line: Line of the file; the first is 1.
        reason: What is wrong and what to do.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.problem = Problem(line, reason)


def read_text(file: Path) -> str:
    """A desk file's text.

    Raises:
        UnreadableError: It cannot be read, is too long, or is not UTF-8.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UnreadableError(1, f"cannot be read: {error.strerror}") from None
    if len(data) > _MAX_BYTES:
        raise UnreadableError(1, f"larger than {_MAX_BYTES // 1024} KiB; a desk is a few pages")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableError(line, "not UTF-8; save the file as UTF-8") from None


class _Loader(yaml.SafeLoader):
    """Composes nodes only, and refuses what makes YAML more than data."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        line = _line(event.start_mark)
        # An alias can stand for an exponentially larger text ("billion laughs").
        if getattr(event, "anchor", None) is not None:
            raise UnreadableError(line, "text that begins with * or & must be in quotes")
        if getattr(event, "tag", None) is not None:
            raise UnreadableError(line, "text that begins with ! must be in quotes")
        if self.depth >= _MAX_DEPTH:
            raise UnreadableError(line, "too many levels, one inside the other")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class Document:
    """One parsed file: its values, and for each the place in the text.

    Attributes:
        data: What the file says, as plain values with tuples for lists. A scalar that is
            neither text nor a plain number, boolean, date or nothing stays a node, so that it fits
            no field.
    """

    def __init__(self, text: str) -> None:
        root = _compose(text)
        if root is None:
            raise UnreadableError(1, "empty; copy default.yaml and change it")
        if not isinstance(root, yaml.MappingNode):
            raise UnreadableError(
                _line(root.start_mark),
                "not a desk; begin with a field such as 'name: hotel', a space after the colon",
            )
        self._source = text
        self._nodes: dict[_Path, yaml.Node] = {}
        self._lines: dict[_Path, int] = {}
        self._problems: list[Problem] = []
        self.data: dict[str, Any] = self._value(root, ())

    def desk(self, file: str) -> tuple[Desk | None, list[Problem]]:
        """The desk, or None and everything that is wrong."""
        problems = [*self._problems, *self._names_taken(), *self._backend_problems()]
        try:
            return self._placed(Desk.model_validate(self.data, strict=True), file), problems
        except ValidationError as error:
            for found in error.errors(include_url=False):
                path: _Path = (*found["loc"], *found.get("ctx", {}).get("at", ()))
                # _names_taken found the names.
                if found["type"] == "named_twice" or self._only_seems_short(found["type"], path):
                    continue
                reason = self._reason(found["type"], found.get("ctx", {}), found["msg"], path)
                problems.append(Problem(self.line(path), _field(path, reason)))
        return None, problems

    def _placed(self, desk: Desk, file: str) -> Desk:
        for number, reaction in enumerate(desk.reactions):
            reaction.standing_at(f"{file}:{self.line(('reactions', number))}")
        return desk

    def asks(self, around: Around) -> list[tuple[int, Ask]]:
        """What it asks for outside, each with its line."""
        return [(self.line(ask.path), ask) for ask in DeskBackends(self.data).asks(around)]

    def left_to_people(self, around: Around) -> list[Problem]:
        """Hands actions that lack something here to people, and says which and why."""
        lacking = DeskBackends(self.data).left_to_people(around)
        return [Problem(self.line(path), _field(path, why)) for path, why in lacking]

    def _backend_problems(self) -> Iterator[Problem]:
        for path, found, known in DeskBackends(self.data).problems():
            if isinstance(found, str):
                reason = found
            elif self._only_seems_short(found["type"], path):
                continue
            elif found["type"] == "extra_forbidden":
                reason = _unknown(str(path[-1]), known)
            else:
                reason = self._reason(found["type"], found.get("ctx", {}), found["msg"], path)
            yield Problem(self.line(path), _field(path, reason))

    def _only_seems_short(self, kind: str, path: _Path) -> bool:
        """Pydantic counts only the valid items of a list."""
        return kind == "too_short" and bool(self._nodes[path].value)

    def line(self, path: _Path) -> int:
        """Where a field stands; for a missing one, where the part begins that lacks it."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]

    def _value(self, node: yaml.Node, path: _Path) -> Any:
        self._nodes[path] = node
        self._lines.setdefault(path, _line(node.start_mark))
        if isinstance(node, yaml.SequenceNode):
            return tuple(self._value(item, (*path, i)) for i, item in enumerate(node.value))
        if isinstance(node, yaml.MappingNode):
            return self._fields(node, path)
        plain = isinstance(node, yaml.ScalarNode) and node.style is None
        if plain and _GLUED_COMMENT.match(self._source, node.end_mark.index):
            reason = (
                f"all after {node.value!r} is cut off as a comment; put the text in quotes, "
                "or a space after # for a comment"
            )
            self._problems.append(Problem(_line(node.end_mark), _field(path, reason)))
        return _scalar(node)

    def _fields(self, node: yaml.MappingNode, path: _Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            line = _line(key.start_mark)
            if not isinstance(key, yaml.ScalarNode):
                reason = "a field's name cannot be a list; put text that begins with { in quotes"
                self._problems.append(Problem(line, _field(path, reason)))
            elif key.value in values:
                first = self._lines[(*path, key.value)]
                reason = f"given twice, first in line {first}; remove one"
                self._problems.append(Problem(line, _field((*path, key.value), reason)))
            else:
                self._lines[(*path, key.value)] = line
                values[key.value] = self._value(value, (*path, key.value))
        return values

    def _names_taken(self) -> Iterator[Problem]:
        """Names given twice in a list: found here also when the model never gets that far."""
        for path, node in self._nodes.items():
            called = _NAMED_BY.get(str(path[-1])) if path else None
            if called is None:
                continue
            first: dict[str, int] = {}
            for at in ((*path, i, called) for i in range(len(node.value))):
                name = self._nodes.get(at)
                if not isinstance(name, yaml.ScalarNode):
                    continue
                line = self._lines[at]
                if name.value in first:
                    reason = f"{name.value!r} is taken, see line {first[name.value]}; change one"
                    yield Problem(line, _field(at, reason))
                first.setdefault(name.value, line)

    def _reason(self, kind: str, limits: dict[str, Any], message: str, path: _Path) -> str:
        node = self._nodes.get(path)
        if kind == "extra_forbidden":
            return _unknown(str(path[-1]), _fields_beside(path))
        if kind != "missing" and isinstance(node, yaml.ScalarNode) and _is_nothing(node):
            return "empty; write a value, or remove the line"
        if kind == "string_type" and node is not None:
            return _not_text(node)
        if kind == "literal_error":
            known = limits["expected"].replace("'", "").replace(" or ", ", ")
            given = repr(node.value) if isinstance(node, yaml.ScalarNode) else "this"
            return f"{given} is not one of {known}"
        return _REASONS[kind].format(**limits) if kind in _REASONS else message


_REASONS = {
    "missing": "missing; add this field",
    "string_too_short": "empty; write a value, or remove the line",
    "string_too_long": "longer than {max_length} characters; shorten it",
    "string_unicode": "holds a character that is not valid text; take it out",
    "tuple_type": "must be a list: one line for each, beginning with '- '",
    "too_short": "must have at least {min_length}",
    "too_long": "has {actual_length}; {max_length} are allowed",
    "bool_type": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "finite_number": "must be a number",
    "date_type": "must be a day such as 2026-12-25, without quotes",
    "model_type": "must hold fields, such as 'name: …'",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "value_error": "{error}",
}

_BACKSLASH = "a \\ inside double quotes; use single quotes"

# What PyYAML says, and what that mostly means to somebody who writes text. The first that fits.
_SYNTAX = (
    ("character '\\t'", "a tab; use spaces"),
    ("cannot start any token", "text that begins with this character must be in quotes"),
    (
        "mapping values are not allowed",
        "a ': ' too many, or spaces too many before it; put text that holds ': ' in quotes",
    ),
    ("found unexpected end of stream", "a quote is opened and never closed"),
    ("scanning a double-quoted", _BACKSLASH),
    ("while scanning an a", "text that begins with * or & must be in quotes"),
    ("while parsing a flow", "text that begins with [ or { must be in quotes"),
    ("expected a single document", "a second desk in this file; give it a file of its own"),
    ("could not find expected ':'", "neither a field, 'name: …', nor a list item, '- …'"),
    ("<block end>", "does not fit the lines above; check the spaces before it, and quotes"),
)


def _compose(text: str) -> yaml.Node | None:
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UnreadableError(line, "holds a control character; take it out") from None
    try:
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        said = f"{error.context or ''} {error.problem}".strip()
        reason = next((reason for words, reason in _SYNTAX if words in said), said)
        mark = error.context_mark if "unexpected end" in said else error.problem_mark
        raise UnreadableError(_line(mark), reason) from None
    except (ValueError, OverflowError):  # "\UFFFFFFFF" is no character, which PyYAML overlooks
        raise UnreadableError(loader.line + 1, _BACKSLASH) from None


def _line(mark: Any) -> int:
    return mark.line + 1 if mark else 1


def _scalar(node: yaml.Node) -> Any:
    """A text, plain number, boolean, date or None; the node itself for YAML's odder readings."""
    kind = node.tag.rpartition(":")[2]
    if kind == "str":
        return node.value
    if kind == "bool":
        return node.value.lower() in ("yes", "true", "on")
    if _is_nothing(node):
        return None
    try:
        if kind == "timestamp":
            return date.fromisoformat(node.value)
        return int(node.value) if kind == "int" else float(node.value)
    except ValueError:
        return node


def _is_nothing(node: yaml.Node) -> bool:
    return node.tag == "tag:yaml.org,2002:null"


def _not_text(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return "a ': ' or { makes this a field, not a text; put the whole text in quotes"
    if isinstance(node, yaml.SequenceNode):
        return "a list where one text belongs; write one text, in quotes if it begins with ["
    given = node.value[:60]
    return f'YAML reads {given} as something other than text; write "{given}" in quotes'


def _fields_beside(path: _Path) -> list[str]:
    """The fields that the desk knows at this place."""
    model: type[BaseModel] = Desk
    for step in path[:-1]:
        if isinstance(step, str):
            model = next(_models(model.model_fields[step].annotation))
    return list(model.model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _unknown(field: str, known: list[str]) -> str:
    alike = difflib.get_close_matches(field, known, n=1, cutoff=0.7)
    hint = f"did you mean {alike[0]}?" if alike else f"known here: {', '.join(known)}"
    return f"unknown field; {hint}"


def _field(path: _Path, reason: str) -> str:
    shown = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return f"{shown.lstrip('.')}: {reason}" if shown else reason
