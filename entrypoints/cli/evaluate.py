"""``eval``: figures for prompts, rules and models."""

from __future__ import annotations

import argparse
import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from entrypoints.cli.exits import DONE, FAILED, CliError, UsageError
from entrypoints.cli.table import table
from entrypoints.cli.terminal import Ink

if TYPE_CHECKING:
    from entrypoints.cli.terminal import Part, Screen, Terminal
    from evals.baseline import Compared
    from evals.run import Model
    from evals.suite import Suite
    from evals.summary import Summary

EXAMPLES = """\
examples:
  ./frontdesk eval sentiment --data tweets.csv --labels positive,negative --limit 600
  ./frontdesk eval sentiment --data tweets.csv --model configured --parallel 8
  ./frontdesk eval sentiment --data tweets.csv --repeat 3     how often all three agree
  ./frontdesk eval sentiment --data tweets.csv --fresh        forget what was measured before

A run that was stopped goes on where it stopped, as long as data, prompts, rules, model and settings
are the same. Records and summaries are kept in .frontdesk/evals. docs/evals.md explains the suites
and their figures.

exit codes: 0 measured, 1 worse than the baseline beyond noise, or it could not be measured,
2 bad usage, 130 interrupted.
"""
_PLAIN_EVERY = 15.0  # seconds between two lines of progress where nothing can be redrawn
_BAR = 30


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("suite", metavar="SUITE", help="what to measure; docs/evals.md lists them")
    parser.add_argument("--data", type=Path, metavar="FILE", help="a .csv or .jsonl file")
    parser.add_argument(
        "--labels", type=_names, default=(), metavar="A,B", help="only rows with these labels"
    )
    parser.add_argument(
        "--desk", type=_names, default=(), metavar="A,B", help="each message once for each desk"
    )
    parser.add_argument("--limit", type=_count, metavar="N", help="so many of the rows")
    parser.add_argument("--skip", type=_whole, default=0, metavar="N", help="leave out N first (0)")
    parser.add_argument("--seed", type=_count, default=1, help="which of the rows (1)")
    parser.add_argument("--repeat", type=_count, default=1, metavar="K", help="each row K times")
    parser.add_argument(
        "--model",
        choices=("local", "configured", "obedient"),
        default="local",
        help="the local model, started for this run, the one in the settings, or one that obeys "
        "every instruction in a message (local)",
    )
    parser.add_argument(
        "--parallel", type=_count, default=1, metavar="N", help="rows at the same time (1)"
    )
    parser.add_argument("--fresh", action="store_true", help="measure anew")
    parser.add_argument("--save-baseline", action="store_true", help="compare later runs with this")
    parser.add_argument(
        "--baselines", type=Path, metavar="FOLDER", help="where they are (evals/baselines)"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Measure, compare with the baseline, print the figures."""
    from devkit.setup import layout

    try:
        from evals.baseline import FOLDER, find_baseline, save_baseline
        from evals.errors import EvalError
        from evals.run import Order, choose, measure
        from evals.suites import SUITES
        from evals.summary import as_baseline, as_json, summarize
    except ModuleNotFoundError as error:
        raise CliError(f"eval needs the repository; {error.name} is missing") from None
    from shared.adapters.desk_files import load_desks
    from shared.bootstrap import ROOT
    from shared.errors import ConfigError

    order = Order(
        suite=_suite(args.suite, SUITES),
        folder=layout().state / "evals",
        data=args.data,
        labels=args.labels,
        desks=args.desk,
        skip=args.skip,
        limit=args.limit,
        seed=args.seed,
        repeat=args.repeat,
        parallel=args.parallel,
        fresh=args.fresh,
    )
    said = _Progress(None if args.quiet else screen.err)
    try:
        desks = load_desks(ROOT / "desks")
        for name in order.desks:
            _known("desk", name, desks.names)
        data, items = choose(order)
        with _model(args.model, args.parallel, said) as model:
            measured = asyncio.run(measure(order, data, items, model, desks, said))
        baselines = args.baselines or FOLDER
        if args.save_baseline:
            said.say(f"baseline: {save_baseline(as_baseline(measured), baselines)}")
        summary = summarize(measured, find_baseline(measured.selection, baselines))
        text = as_json(summary)
        measured.path.with_suffix(".summary.json").write_text(text + "\n", encoding="utf-8")
    except (EvalError, ConfigError) as error:
        raise CliError(str(error)) from None
    if args.json:
        screen.json(text)
    else:
        _report(summary, screen.out)
        said.say(f"records: {measured.path}")
    return DONE if summary.good else FAILED


@contextmanager
def _model(choice: str, parallel: int, said: _Progress) -> Iterator[Model]:
    """The model under test; the local one runs as long as the block."""
    from devkit.emulator import Emulator
    from devkit.processes import ProcessError
    from devkit.setup import SetupError, layout, local_settings
    from devkit.stack import local_model_settings, model_url, start_model
    from evals.models import configured_model, digest_of_local_model

    try:
        settings = {**local_settings(), **os.environ}
        if choice == "configured":
            yield configured_model(settings)
            return
        if choice == "obedient":
            with Emulator({"obey": True}) as emulator:
                settings |= local_model_settings(f"{emulator.url}/v1") | {
                    "OPENAI_MODEL": "obedient"
                }
                yield configured_model(settings, local="the emulator")
            return
        said.say("starting the local model")
        slots = str(min(16, max(2, parallel)))  # two are how the product runs it
        child = start_model(layout().logs / "eval-model.log", "--parallel", slots)
        try:
            settings |= local_model_settings(model_url(child))
            yield configured_model(settings, local=digest_of_local_model())
        finally:
            child.stop()
    except (SetupError, ProcessError) as error:
        raise CliError(str(error)) from None


class _Progress:
    """A bar on a terminal, a line now and then elsewhere.

    Args:
        terminal: None for silence.
    """

    def __init__(self, terminal: Terminal | None) -> None:
        self._terminal = terminal
        self._started = self._last = time.monotonic()

    def say(self, line: str) -> None:
        """Say something that is not progress."""
        if self._terminal:
            self._terminal.line(Ink(line, "dim"))

    def __call__(self, done: int, total: int, before: int) -> None:
        """Show how far it is; the time left follows from what this run has done itself."""
        out, now = self._terminal, time.monotonic()
        if out is None:
            return
        if done == before:
            self._started = now
            self.say(f"{total} to measure, {before} were measured before")
        elif not out.live and done < total and now - self._last < _PLAIN_EVERY:
            return
        self._last = now
        left = (now - self._started) / max(1, done - before) * (total - done)
        rest = f", {_time(left)} left" if before < done < total else ""
        counts = f" {done} of {total}{rest}"
        if not out.live:
            out.line(counts.strip())
            return
        full = _BAR * done // total
        bar = out.glyph("█", "#") * full, out.glyph("░", ".") * (_BAR - full)
        out.redraw([("  ", Ink(bar[0], "green"), Ink(bar[1], "dim"), counts)])


def _time(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _report(summary: Summary, out: Terminal) -> None:
    about = summary.selection
    times = f", {summary.repeat} times each" if summary.repeat > 1 else ""
    out.line(Ink(f"{about.suite} on {about.data}", "bold"), f" with {about.model}")
    out.line(f"{summary.items} messages{times}, {summary.new} measured now")
    out.line()
    old = {one.name: one for one in summary.compared or ()}
    rows = []
    for figure in summary.figures:
        row: list[Part] = [
            figure.name,
            f"{figure.value:.3f}",
            "{:.3f} to {:.3f}".format(*figure.interval),
        ]
        rows.append([*row, *_beside(figure.name, old.get(figure.name), summary.broken)])
    table(("figure", "value", "95 %", "baseline", "change, 95 %", "verdict"), rows, out)
    for shown in summary.tables:
        out.line()
        out.line(Ink(shown.title, "bold"))
        table(shown.heads, shown.rows, out)
    out.line()
    calls, usage = max(1, summary.usage.calls), summary.usage
    if summary.repeat > 1:
        out.line(f"right in all {summary.repeat} repeats: {summary.passed:.3f}")
    for code, count in summary.errors.items():
        out.line(Ink(f"failed: {count} x {code}", "yellow"))
    out.line(
        f"per call {usage.prompt_tokens / calls:.0f} tokens of prompt, "
        f"{usage.cached_tokens / calls:.0f} of them cached, and "
        f"{usage.completion_tokens / calls:.0f} of answer; per message "
        "{:.1f} s, {:.1f} s at the 95th percentile".format(*(t / 1000 for t in summary.latency_ms))
    )
    out.line(f"prompts {', '.join(f'{stage} {known}' for stage, known in summary.prompts.items())}")
    if summary.compared is None:
        out.line("no baseline for these messages and this model; --save-baseline writes one")


def _beside(name: str, old: Compared | None, broken: tuple[str, ...]) -> tuple[Part, ...]:
    if name in broken:
        return ("", "", Ink("has to be 0", "red"))
    if old is None:
        return ("", "", "")
    change = "{:+.3f} to {:+.3f}".format(*old.change)
    verdict = Ink("worse", "red") if old.worse else Ink("not worse", "green")
    return (f"{old.before:.3f}", change, verdict)


def _suite(name: str, suites: tuple[Suite, ...]) -> Suite:
    _known("suite", name, [suite.name for suite in suites])
    return next(suite for suite in suites if suite.name == name)


def _known(what: str, name: str, names: Sequence[str]) -> None:
    if name not in names:
        raise UsageError(f"there is no {what} {name!r}; the {what}s are {', '.join(names)}")


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _count(text: str, least: int = 1) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text) <= 1_000_000):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to 1000000")
    return int(text)


def _whole(text: str) -> int:
    return _count(text, 0)
