"""What a desk file says of the backends of its actions: read, checked, and left to people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.adapters import backends
from shared.adapters.backends import Around, Backend, Shape
from shared.adapters.backends.ticket import place_problems
from shared.domain.desk_action import BY_HAND
from shared.domain.desk_ticket import TicketPlace

_Path = tuple[str | int, ...]
_TICKET: _Path = ("escalation", "ticket")


class _Said(NamedTuple):
    """One action's backend as the file has it."""

    path: _Path
    name: Any
    options: dict[str, Any]
    action: dict[str, Any]


class Ask(NamedTuple):
    """One thing that a desk file asks for outside.

    Attributes:
        name: The backend's.
        options: As the backend reads them.
        lacks: Why this installation cannot do it; empty when it can.
    """

    path: _Path
    backend: Backend
    name: str
    options: Any
    shape: Shape
    lacks: str


class DeskBackends:
    """The backends of one desk file.

    Args:
        data: The file as plain values, valid or not.
    """

    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data

    def problems(self) -> Iterator[tuple[_Path, str | ErrorDetails, list[str]]]:
        """What is wrong: where, why, and the fields that are known there."""
        for said in self._said():
            if said.name not in backends.names():
                reason = f"{said.name!r} is not one of {', '.join(backends.names())}"
                yield said.path, reason, []
                continue
            backend = backends.load(said.name)
            known = ["type", *backend.options.model_fields]
            try:
                options = _read(backend, said)
            except ValidationError as error:
                for found in error.errors(include_url=False):
                    yield (*said.path, *found["loc"]), found, known
            else:
                for field, reason in backend.problems(options, self._shape(said.action)):
                    yield (*said.path, field), reason, known
        try:
            place = TicketPlace.model_validate(self._ticket(), strict=True)
        except ValidationError:
            return  # the desk itself says why
        for field, reason in place_problems(place):
            yield (*_TICKET, field), reason, []

    def asks(self, around: Around) -> Iterator[Ask]:
        """Everything valid that the file asks for outside, and what it lacks here."""
        for said in (*self._said(), *self._escalation()):
            if said.name not in backends.names():
                continue
            backend, shape = backends.load(said.name), self._shape(said.action)
            try:
                options = _read(backend, said)
            except ValidationError:
                continue
            if not any(backend.problems(options, shape)):
                lacks = backend.missing(options, shape, around)
                yield Ask(said.path, backend, said.name, options, shape, lacks)

    def left_to_people(self, around: Around) -> Iterator[tuple[_Path, str]]:
        """Hands to people what lacks something here, and says which and why."""
        for ask in tuple(self.asks(around)):
            if not ask.lacks:
                continue
            if ask.path == _TICKET:
                del self._data["escalation"]["ticket"]
            else:
                self._data["actions"][ask.path[1]]["backend"] = BY_HAND
            yield ask.path, ask.lacks

    def _escalation(self) -> Iterator[_Said]:
        """The ticket that escalations open, as an action would ask for it."""
        if said := self._ticket():
            yield _Said(_TICKET, "ticket", said, {"name": "escalation"})

    def _ticket(self) -> dict[str, Any]:
        """The ticket that escalations open, as the file has it; nothing when it has none."""
        escalation = self._data.get("escalation")
        said = escalation.get("ticket") if isinstance(escalation, dict) else None
        if isinstance(said, str):
            return {"system": said}
        return said if isinstance(said, dict) else {}

    def _said(self) -> Iterator[_Said]:
        actions = self._data.get("actions")
        for number, action in enumerate(actions if isinstance(actions, tuple) else ()):
            said = action.get("backend") if isinstance(action, dict) else None
            if isinstance(said, str):
                said = {"type": said}
            if isinstance(said, dict):
                options = {name: value for name, value in said.items() if name != "type"}
                path = ("actions", number, "backend")
                yield _Said(path, said.get("type", BY_HAND), options, action)

    def _shape(self, action: dict[str, Any]) -> Shape:
        given = action.get("arguments")
        arguments = {
            str(argument.get("name")): argument.get("required", True) is True
            for argument in (given if isinstance(given, tuple) else ())
            if isinstance(argument, dict)
        }
        hosts = self._data.get("service_hosts")
        return Shape(
            desk=str(self._data.get("name", "")),
            action=str(action.get("name", "")),
            arguments=arguments,
            hosts=tuple(map(str, hosts)) if isinstance(hosts, tuple) else (),
        )


def _read(backend: Backend, said: _Said) -> Any:
    return backend.options.model_validate(said.options, strict=True)
