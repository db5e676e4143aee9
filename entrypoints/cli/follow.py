"""Following a case live: a line an agent, with its state, how long it took and its tokens."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from entrypoints.cli.api import Api, RefusedError, UnreachableError
from entrypoints.cli.exits import CliError
from entrypoints.cli.terminal import Ink, Part, Terminal, pad

if TYPE_CHECKING:
    from shared.domain.case import StageView, SupportCase

_PAUSE_SECONDS = 0.15
_SILENCE_SECONDS = 20.0
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_SIGNS = {
    "waiting": ("·", ".", "dim"),
    "working": ("→", "*", "cyan"),
    "finished": ("✓", "+", "green"),
    "skipped": ("-", "-", "dim"),
    "error": ("✗", "x", "red"),
}


def read_case(answer: dict[str, Any]) -> SupportCase:
    """The SupportCase of an API answer; pydantic is loaded here, where it is first needed.

    Raises:
        CliError: It is none, or one of a version that we do not know.
    """
    from shared.domain.case import SupportCase

    try:
        return SupportCase.model_validate(answer)
    except ValueError:
        raise CliError("the answer is not a case as this version knows it; see --json") from None


def is_settled(case: SupportCase) -> bool:
    """True when the agents are done and each effect was tried at least once.

    An effect that has to be tried again is not waited for: that may take minutes, and changes
    nothing about the answer. Nor is one that waits for its hour, such as a reminder.
    """
    agents_done = all(stage.due_at is None for stage in case.stages)
    begun = (e for e in case.effects if not e.dormant)
    untried = any(e.due_at and e.state in ("waiting", "attempting") for e in begun)
    return case.status in ("cancelled", "resolved") or (agents_done and not untried)


def follow(api: Api, case_id: str, err: Terminal | None, timeout: float) -> dict[str, Any]:
    """Wait until the case is settled, showing how it gets on.

    Args:
        api: Where the case is.
        case_id: Which case.
        err: Where to show it; None for nowhere.
        timeout: Seconds to wait.

    Returns:
        The settled case as the API's JSON.

    Raises:
        CliError: It was not settled in time, or the API did not give it for a while.
    """
    board = Board(err) if err else None
    deadline = time.monotonic() + timeout
    heard = time.monotonic()
    while True:
        try:
            answer = api.case(case_id)
        except (UnreachableError, RefusedError) as error:
            passing = not isinstance(error, RefusedError) or error.status >= 500
            if not passing or time.monotonic() - heard > _SILENCE_SECONDS:
                raise
        else:
            heard = time.monotonic()
            case = read_case(answer)
            if board:
                board.show(case, datetime.now(UTC))
            if is_settled(case):
                return answer
        if time.monotonic() >= deadline:
            raise CliError(f"not finished after {timeout:g} s")
        time.sleep(_PAUSE_SECONDS)


class Board:
    """The lines of the current turn's stages: redrawn on a terminal, else one a change."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._shown: dict[str, tuple[str, int]] = {}
        self._frame = 0

    def show(self, case: SupportCase, now: datetime) -> None:
        """Show the case as it is at ``now``, UTC."""
        turn = case.turns[-1].turn if case.turns else 0
        stages = [stage for stage in case.stages if stage.turn == turn]
        if self._terminal.live:
            self._frame += 1
            spin = _SPINNER[self._frame % len(_SPINNER)]
            self._terminal.redraw(stage_lines(stages, self._terminal, now, spin))
            return
        for stage, line in zip(stages, stage_lines(stages, self._terminal, now), strict=True):
            state = (stage.state, stage.attempts)
            if self._shown.get(stage.stage, ("waiting", 0)) != state:
                self._shown[stage.stage] = state
                self._terminal.line(*line)


def stage_lines(
    stages: Sequence[StageView], terminal: Terminal, now: datetime, spin: str = ""
) -> list[tuple[Part, ...]]:
    """An aligned line a stage.

    Args:
        stages: Whose lines.
        terminal: Where they will be written.
        now: UTC.
        spin: Sign for a stage at work, where the line is drawn again and again.
    """
    width = max((len(stage.stage) for stage in stages), default=0)
    lines: list[tuple[Part, ...]] = []
    for stage in stages:
        sign, plain, style = _SIGNS[stage.state]
        if stage.state == "working":
            sign = spin or sign
        head = Ink(terminal.glyph(sign, plain), style)
        name, state = pad(stage.stage, width), Ink(f"{stage.state:8}", style)
        lines.append(("  ", head, f" {name}  ", state, *stage_details(stage, now)))
    return lines


def stage_details(stage: StageView, now: datetime) -> tuple[Part, ...]:
    """What there is to say of a stage in its state at ``now``, UTC: times, tokens, errors."""
    took = stage_seconds(stage, now)
    parts: list[Part] = []
    if stage.state == "working" and stage.due_at and stage.due_at < now:
        # Its lease ran out: whoever worked on it is gone, and the next sweep hands it on.
        parts.append(Ink("  left behind; taken up again while the stack runs", "yellow"))
    elif took is not None:
        parts.append(f"  {took:6.1f} s")
    if stage.usage.calls:
        tokens = stage.usage.prompt_tokens + stage.usage.completion_tokens
        parts.append(f"  {tokens:6,} tokens")
    if stage.state == "waiting":
        parts.append(Ink(f"  {_waits_for(stage, now)}", "dim"))
    if stage.error and stage.state != "finished":
        detail = f": {stage.error.detail}" if stage.error.detail else ""
        parts.append(Ink(f"  {stage.error.code}{detail}", "red"))
    if stage.attempts > 1:
        parts.append(Ink(f"  attempt {stage.attempts}", "yellow"))
    return tuple(parts)


def stage_seconds(stage: StageView, now: datetime) -> float | None:
    """Seconds between the claim of a stage and its end, or ``now``; None before the claim."""
    if stage.claimed_at is None or stage.state in ("waiting", "skipped"):
        return None
    # The host's clock may be ahead of ours when it is not on this machine.
    return max(0.0, ((stage.finished_at or now) - stage.claimed_at).total_seconds())


def _waits_for(stage: StageView, now: datetime) -> str:
    if stage.due_at and stage.attempts:
        left = max(0.0, (stage.due_at - now).total_seconds())
        return f"tries again in {left:.0f} s"
    if stage.due_at is None and stage.after:
        return f"after {', '.join(stage.after)}"
    return ""
