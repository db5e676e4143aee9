"""Loads function_app.py and indexes its functions by the rules of the Python worker.

Source of the rules: Azure/azure-functions-python-worker, loader.py and functions.py, and the
name checks of Azure/azure-functions-host, Utility.cs.
"""

import importlib
import inspect
import logging
import re
import sys
import traceback
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func

from devkit.host.errors import StartError
from devkit.host.settings import resolve

logger = logging.getLogger("devkit.host")

#: Set to 1: HTTP functions only, so that an app can be looked into while nothing in it moves. This
#: host's own, because Azure's AzureWebJobs.NAME.Disabled needs the name of every other function.
HTTP_ONLY_SETTING = "FRONTDESK_HOST_HTTP_ONLY"
_TRUE = ("true", "1")

_FUNCTION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_\-]{0,127}")
_BINDING_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,127}|\$return")
_QUEUE_NAME = re.compile(r"(?=.{3,63}$)[a-z0-9]+(?:-[a-z0-9]+)*")
_SUPPORTED = ("httpTrigger", "queueTrigger", "timerTrigger", "http", "queue")


@dataclass(frozen=True)
class HttpTrigger:
    """`methods` is empty for every method; `auth_level` is anonymous, function or admin."""

    route: str
    methods: frozenset[str]
    auth_level: str


@dataclass(frozen=True)
class QueueBinding:
    """A queue by name and connection string; `argument` is the handler's parameter or $return."""

    argument: str
    queue: str
    connection: str


@dataclass(frozen=True)
class TimerTrigger:
    """`schedule` is NCRONTAB or a time span; `use_monitor` None leaves it to the schedule."""

    schedule: str
    run_on_startup: bool
    use_monitor: bool | None


@dataclass(frozen=True)
class HostedFunction:
    """One function of the app, ready to be invoked.

    Attributes:
        name: unique in the app.
        handler: the user's function; `is_async` says how to run it.
        argument: the handler's parameter that takes the trigger's value.
        trigger: what starts it.
        outputs: queues that its Out parameters or its return value go to.
        wants_context: whether the handler has a `context` parameter.
        returns: whether a binding takes the return value; without one it must be None.
        has_retry_policy: whether a retry policy is declared, which this host does not run.
    """

    name: str
    handler: Callable[..., Any]
    is_async: bool
    argument: str
    trigger: HttpTrigger | QueueBinding | TimerTrigger
    outputs: tuple[QueueBinding, ...]
    wants_context: bool
    returns: bool
    has_retry_policy: bool


def load_app(app_dir: Path, settings: Mapping[str, str]) -> list[HostedFunction]:
    """Import DIR/function_app.py and index what it declares and no setting disables.

    The folder goes last on sys.path, as in the worker: a module of the app that is named like
    an installed package is shadowed here as it is in Azure.

    Args:
        app_dir: folder of the function app.
        settings: the environment after local.settings.json was applied.

    Raises:
        StartError: the module cannot be imported or a function cannot be hosted.
    """
    path = app_dir / "function_app.py"
    if not path.is_file():
        raise StartError(f"{path} is missing; --app takes the folder that holds it.")
    if str(app_dir) not in sys.path:
        sys.path.append(str(app_dir))
    try:
        module = importlib.import_module("function_app")
    except Exception as error:
        raise StartError(_describe(error, app_dir)) from error
    if Path(module.__file__ or "").resolve() != path.resolve():
        raise StartError(f"{path} is shadowed by {module.__file__}, which is earlier on sys.path.")

    apps = {id(v): v for v in vars(module).values() if isinstance(v, func.FunctionRegister)}
    if len(apps) != 1:
        raise StartError(f"{path} must define exactly one FunctionApp; it defines {len(apps)}.")
    try:
        declared = next(iter(apps.values())).get_functions()
    except ValueError as error:
        raise StartError(f"{path}: {error}") from error
    if not declared:
        raise StartError(f"{path} declares no functions.")
    functions = [_index(function, settings) for function in declared]
    disabled = {function.name for function in functions if _is_disabled(function, settings)}
    if disabled:
        logger.info("functions are disabled", extra={"functions": ", ".join(sorted(disabled))})
    return [function for function in functions if function.name not in disabled]


def _is_disabled(function: HostedFunction, settings: Mapping[str, str]) -> bool:
    # https://learn.microsoft.com/azure/azure-functions/disable-function
    if settings.get(f"AzureWebJobs.{function.name}.Disabled", "").lower() in _TRUE:
        return True
    http_only = settings.get(HTTP_ONLY_SETTING, "").lower() in _TRUE
    return http_only and not isinstance(function.trigger, HttpTrigger)


def _describe(error: Exception, app_dir: Path) -> str:
    """One line on an import failure: where in the app it happened, and what."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}: {type(error).__name__}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(app_dir)]
    at = (own or list(frames))[-1]
    return f"{at.filename}, line {at.lineno}: {type(error).__name__}: {error}"


def _index(function: func.Function, settings: Mapping[str, str]) -> HostedFunction:
    name = function.get_function_name() or ""
    if not _FUNCTION_NAME.fullmatch(name):
        raise StartError(f"Function {name!r}: not a valid function name.")
    bindings = function.get_bindings()
    for binding in bindings:
        if binding.type not in _SUPPORTED:
            raise StartError(
                f"Function {name}: binding {binding.name} of type {binding.type} is not supported "
                f"by the local host (it knows {', '.join(_SUPPORTED)}); use Core Tools for it."
            )
        if not _BINDING_NAME.fullmatch(binding.name):
            raise StartError(
                f"Function {name}: binding name {binding.name!r} is invalid; "
                "use letters and digits only, beginning with a letter."
            )
        if binding.type == "http" and binding.name != "$return":
            raise StartError(f"Function {name}: its HTTP response must be the return value.")

    trigger = function.get_trigger()
    if trigger is None:
        raise StartError(f"Function {name}: has no trigger.")
    handler = function.get_user_function()
    return HostedFunction(
        name=name,
        handler=handler,
        is_async=inspect.iscoroutinefunction(handler),
        argument=trigger.name,
        trigger=_read_trigger(name, trigger, settings),
        outputs=tuple(_read_queue(name, b, settings) for b in bindings if b.type == "queue"),
        wants_context=_check_signature(name, handler, bindings),
        returns=any(binding.name == "$return" for binding in bindings),
        has_retry_policy=function.get_setting("retry_policy") is not None,
    )


def _read_trigger(
    name: str, trigger: Any, settings: Mapping[str, str]
) -> HttpTrigger | QueueBinding | TimerTrigger:
    if trigger.type == "queueTrigger":
        return _read_queue(name, trigger, settings)
    fields = trigger.get_dict_repr()
    if trigger.type == "timerTrigger":
        return TimerTrigger(
            schedule=resolve(fields["schedule"], settings, f"Function {name}, schedule"),
            run_on_startup=bool(fields.get("runOnStartup", False)),
            use_monitor=fields.get("useMonitor"),
        )
    level = fields.get("authLevel", func.AuthLevel.FUNCTION)
    return HttpTrigger(
        route=fields["route"],
        methods=frozenset(getattr(m, "value", m).upper() for m in fields.get("methods", ())),
        auth_level=getattr(level, "value", level).lower(),
    )


def _read_queue(name: str, binding: Any, settings: Mapping[str, str]) -> QueueBinding:
    fields = binding.get_dict_repr()
    queue = resolve(fields["queueName"], settings, f"Function {name}, queue name").lower()
    if not _QUEUE_NAME.fullmatch(queue):
        raise StartError(
            f"Function {name}: {queue!r} is not a valid queue name; it takes 3 to 63 lower-case "
            "letters, digits and single hyphens."
        )
    reference = fields.get("connection") or "AzureWebJobsStorage"
    key = resolve(reference, settings, f"Function {name}, connection")
    connection = settings.get(key) or settings.get(f"AzureWebJobs{key}")
    if not connection:
        raise StartError(
            f"Function {name}: the connection setting {key} is missing; set it to a storage "
            "connection string (identity-based connections work only in Azure)."
        )
    return QueueBinding(argument=binding.name, queue=queue, connection=connection)


def _check_signature(name: str, handler: Callable[..., Any], bindings: list[Any]) -> bool:
    """Compare parameters with bindings; return whether the handler wants a context."""
    where = f"{handler.__code__.co_filename}, line {handler.__code__.co_firstlineno}"
    try:
        hints = typing.get_type_hints(handler)
    except Exception as error:
        raise StartError(
            f"Function {name}: an annotation cannot be resolved: {error} ({where}). "
            "Import its type at run time, not under TYPE_CHECKING."
        ) from error
    bound = {binding.name: binding for binding in bindings if binding.name != "$return"}
    parameters = set(inspect.signature(handler).parameters)
    wants_context = "context" in parameters and "context" not in bound
    if wants_context:
        parameters.discard("context")
        if getattr(hints.get("context", func.Context), "__name__", "") != "Context":
            raise StartError(f"Function {name}: context must be azure.functions.Context ({where}).")
    if parameters != set(bound):
        raise StartError(
            f"Function {name}: parameters {sorted(parameters)} do not match "
            f"bindings {sorted(bound)} ({where})."
        )
    for parameter, binding in bound.items():
        if parameter in hints and not _accepts(binding, hints[parameter]):
            raise StartError(
                f"Function {name}: the annotation of {parameter} does not fit a {binding.type} "
                f"binding; use the type azure.functions has for it ({where})."
            )
    return wants_context


def _accepts(binding: Any, hint: Any) -> bool:
    is_out = (typing.get_origin(hint) or hint) is func.Out
    if is_out or binding.direction == 1:
        return is_out and binding.direction == 1
    registry: Any = func.get_binding_registry()  # type: ignore[no-untyped-call]
    converter = registry.get(binding.type)
    return isinstance(hint, type) and bool(converter.check_input_type_annotation(hint))
