"""ASP.NET route templates as the HTTP trigger takes them: `cases/{id:int}`, `{*rest}`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from devkit.host.app import HostedFunction, HttpTrigger
from devkit.host.errors import StartError

_PARAMETER = re.compile(r"\{(\*{0,2})([A-Za-z_][\w-]*)((?::[a-z]+(?:\([\d,\s]*\))?)*)(\??)\}")
_CONSTRAINT = re.compile(r":([a-z]+)(?:\(([\d,\s]*)\))?")
_PATTERNS = {
    "int": r"-?\d+",
    "long": r"-?\d+",
    "bool": r"true|false",
    "alpha": r"[A-Za-z]+",
    "decimal": r"-?\d+(?:\.\d+)?",
    "double": r"-?\d+(?:\.\d+)?",
    "float": r"-?\d+(?:\.\d+)?",
    "guid": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
_LENGTHS = {"length": "{%s}", "minlength": "{%s,}", "maxlength": "{0,%s}"}


@dataclass(frozen=True)
class Route:
    """One HTTP function's template, compiled.

    Attributes:
        function: what it leads to.
        trigger: its methods and auth level.
        template: path below the host, with the route prefix, for people.
        pattern: matches a decoded path without its leading slash.
        names: route parameters, in the order of the pattern's groups.
        rank: sorts literal before constrained before plain before catch-all segments.
    """

    function: HostedFunction
    trigger: HttpTrigger
    template: str
    pattern: re.Pattern[str]
    names: tuple[str, ...]
    rank: tuple[int, ...]


class RouteTable:
    """Finds the function of a request, most specific template first."""

    def __init__(self, functions: Iterable[HostedFunction], prefix: str) -> None:
        routes = [
            _compile(function, function.trigger, prefix)
            for function in functions
            if isinstance(function.trigger, HttpTrigger)
        ]
        self.routes = sorted(routes, key=lambda route: route.rank)

    def find(self, method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a request and its parameters.

        Args:
            method: in upper case.
            raw_path: as sent, percent-encoded. An encoded slash stays encoded and does not
                end a segment, as in Kestrel.

        Returns:
            None when nothing matches. As in the real host a wrong method is that too (404).
        """
        path = unquote(re.sub("%2f", "%252F", raw_path, flags=re.IGNORECASE)).strip("/")
        for route in self.routes:
            if route.trigger.methods and method not in route.trigger.methods:
                continue
            match = route.pattern.fullmatch(path)
            if match:
                values = zip(route.names, match.groups(), strict=True)
                return route, {name: value for name, value in values if value}
        return None


def _compile(function: HostedFunction, trigger: HttpTrigger, prefix: str) -> Route:
    if trigger.route.startswith(("/", "~")):
        raise StartError(f"Function {function.name}: its route must not start with / or ~.")
    template = "/".join(part for part in (prefix, trigger.route) if part)
    pattern, names, rank = "", [], []
    for index, segment in enumerate(template.split("/")):
        slash = "/" if index else ""
        whole = _PARAMETER.fullmatch(segment)
        if "{" not in segment and "}" not in segment:
            pattern += slash + re.escape(segment)
            rank.append(1)
            continue
        piece, found = _segment(segment, function)
        names += found
        optional = whole and (whole[4] or whole[1])
        pattern += f"(?:{slash}{piece})?" if optional else slash + piece
        rank.append(2 if not whole or whole[3] else 5 if whole[1] else 3)
    compiled = re.compile(pattern, re.IGNORECASE)
    return Route(function, trigger, template, compiled, tuple(names), tuple(rank))


def _segment(segment: str, function: HostedFunction) -> tuple[str, list[str]]:
    """One segment with parameters as a pattern with a group each, and the parameters' names."""
    pattern, names, position = "", [], 0
    for parameter in _PARAMETER.finditer(segment):
        literal = segment[position : parameter.start()]
        star, name, constraints, _ = parameter.groups()
        pattern += (
            re.escape(literal) + f"({_value(constraints, function, is_catch_all=bool(star))})"
        )
        names.append(name)
        position = parameter.end()
    rest = segment[position:]
    if not names or "{" in rest or "}" in rest:
        raise StartError(
            f"Function {function.name}: the local host cannot read the route segment {segment!r}."
        )
    return pattern + re.escape(rest), names


def _value(constraints: str, function: HostedFunction, *, is_catch_all: bool) -> str:
    pattern = ".*" if is_catch_all else "[^/]+"
    for name, argument in _CONSTRAINT.findall(constraints):
        if name in _PATTERNS and not argument:
            pattern = _PATTERNS[name]
        elif name in _LENGTHS and argument:
            pattern = "[^/]" + _LENGTHS[name] % argument.replace(" ", "")
        else:
            raise StartError(
                f"Function {function.name}: the route constraint {name} is not supported by the "
                f"local host; it knows {', '.join([*_PATTERNS, *_LENGTHS])}."
            )
    return pattern
