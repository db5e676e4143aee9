"""Backend ``python``: a function of your own.

    from shared.adapters.backends.python import Call, action

    @action("book_taxi")
    async def book_taxi(call: Call) -> str:
        ...
        return "the receipt"

The setting FRONTDESK_ACTION_FUNCTIONS names the modules that are imported at start; a desk file can
name only what is registered in them. The same call may not come twice: what was begun and not
confirmed is left to a person. Raise RetryableError when it surely did not happen and may later,
PermanentError when it never will, UncertainError when nobody knows.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Literal

from shared.adapters.action_texts import action_of
from shared.adapters.backends import Around, Backend, Shape
from shared.domain.written import Name, Part
from shared.errors import ConfigError, PermanentError, UncertainError

if TYPE_CHECKING:
    from shared.ports import EffectCall

_SETTING = "FRONTDESK_ACTION_FUNCTIONS"
_SECONDS = 18.0
_RECEIPT_CHARS = 400


@dataclass(frozen=True, slots=True)
class Call:
    """One action to carry out.

    Attributes:
        idempotency_key: Unlike that of any other action.
        arguments: Checked against the catalogue.
    """

    idempotency_key: str
    arguments: Mapping[str, str | int | float | bool]
    case_id: str
    turn: int
    desk: str


Function = Callable[[Call], "Awaitable[str] | str"]
_registered: dict[str, Function] = {}


def action(name: str) -> Callable[[Function], Function]:
    """Registers a function, plain or async, under a name that desk files can say."""

    def register(function: Function) -> Function:
        if _registered.setdefault(name, function) is not function:
            raise ConfigError(f"{_SETTING}: two functions are registered as {name}")
        return function

    return register


def load_functions(modules: str) -> dict[str, Function]:
    """The functions that these modules register.

    Args:
        modules: Names, with spaces between.

    Raises:
        ConfigError: A module cannot be imported; says which and why.
    """
    for name in modules.split():
        try:
            import_module(name)
        except ImportError as error:
            raise ConfigError(f"{_SETTING}: {name} cannot be imported: {error}") from None
    return dict(_registered)


class Options(Part):
    """Which function."""

    function: Name


class PythonBackend(Backend):
    """The backend."""

    options = Options

    def missing(self, said: Options, shape: Shape, around: Around) -> str:
        """Why the function cannot be called here."""
        del shape
        if said.function in around.functions:
            return ""
        known = ", ".join(sorted(around.functions)) or "none"
        return f"no function {said.function} in the modules of {_SETTING}; there are: {known}"

    async def reach(self, said: Options, shape: Shape, around: Around) -> str:
        """The function is there; it is not called."""
        del shape, around
        return f"{said.function} is registered"

    def sink(self, around: Around) -> PythonActions:
        """What calls the functions."""
        return PythonActions(around.functions)


class PythonActions:
    """Sink ``action-python``.

    Args:
        seconds: Until a function is given up; a plain one goes on in its thread all the same.
    """

    kind: Literal["keyed", "queryable", "unkeyed"] = "unkeyed"
    window = 0.0

    def __init__(self, functions: Mapping[str, Function], seconds: float = _SECONDS) -> None:
        self._functions = functions
        self._seconds = seconds

    async def send(self, call: EffectCall) -> str:
        carried, known = action_of(call)
        name = Options.model_validate(known.backend.options).function
        function = self._functions.get(name)
        if function is None:
            raise PermanentError("function_missing", f"{name} is in no module of {_SETTING}")
        given = Call(
            idempotency_key=call.idempotency_key,
            arguments=carried.arguments,
            case_id=call.case.case_id,
            turn=call.request.turn,
            desk=call.desk.name,
        )
        try:
            async with asyncio.timeout(self._seconds):
                return str(await _called(function, given))[:_RECEIPT_CHARS]
        except TimeoutError:
            raise UncertainError("function_slow", f"{name} took over {self._seconds:g} s") from None

    async def find(self, call: EffectCall) -> str | None:
        """Never asked: functions cannot be queried."""
        return None


async def _called(function: Function, given: Call) -> str:
    if inspect.iscoroutinefunction(function):
        said: str = await function(given)
        return said
    return str(await asyncio.to_thread(function, given))


BACKEND = PythonBackend()
