"""What the command writes on stderr: log lines and the table of functions."""

import logging
import sys
from collections.abc import Iterable

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class _LineFormatter(logging.Formatter):
    """Message, then the fields given in `extra` as name=value."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        fields = [f"{k}={v}" for k, v in vars(record).items() if k not in _STANDARD]
        return " ".join([super().formatMessage(record), *fields])


def configure_logging(level: str) -> None:
    """Send every logger of the process to stderr, one line per record and its traceback.

    Args:
        level: a standard level name. azure loggers stay at WARNING: at INFO they log every
            request, which costs up to half of a client's CPU time.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_LineFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("azure").setLevel(logging.WARNING)


def function_table(rows: Iterable[tuple[str, str, str]]) -> str:
    """Rows of name, trigger and target, aligned."""
    lines = [("function", "trigger", "route, queue or schedule"), *rows]
    width = max(len(name) for name, _, _ in lines)
    return "\n".join(
        f"  {name:<{width}}  {trigger:<7}  {target}" for name, trigger, target in lines
    )
