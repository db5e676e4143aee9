"""What a desk file says of the backends of its actions: read, checked, and left to people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from shared.adapters import backends, tickets
from shared.adapters.backends import Around, Backend, Shape
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
        system = self._ticket().get("system", "ledger")
        if isinstance(system, str) and system not in tickets.names():
            yield _TICKET, f"{system!r} is not one of {', '.join(tickets.names())}", []

    def left_to_people(self, around: Around) -> Iterator[tuple[_Path, str]]:
        """Hands actions that lack something here to people, and says which and why."""
        for said in self._said():
            if said.name not in backends.names():
                continue
            backend = backends.load(said.name)
            try:
                options = _read(backend, said)
            except ValidationError:
                continue
            if why := backend.missing(options, self._shape(said.action), around):
                said.action["backend"] = BY_HAND
                yield said.path, why
        try:
            place = TicketPlace.model_validate(self._ticket(), strict=True)
        except ValidationError:
            return
        if not self._ticket() or place.system not in tickets.names():
            return
        desk = str(self._data.get("name", ""))
        if why := tickets.load(place.system).missing(around, desk, place.queue or ""):
            del self._data["escalation"]["ticket"]
            yield _TICKET, why

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
