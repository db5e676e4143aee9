"""Aligned columns; the last one takes what the width leaves."""

from __future__ import annotations

from collections.abc import Sequence

from entrypoints.cli.terminal import Ink, Part, Terminal, cells, clip, pad, visible


def table(heads: Sequence[str], rows: Sequence[Sequence[Part]], out: Terminal) -> None:
    """Write a head and a line a row; on a terminal no line is wider than it."""
    inked = [[Ink(head, "dim") for head in heads], *rows]
    widths = [
        max(cells(visible(_text(part))) for part in column) for column in zip(*inked, strict=True)
    ]
    for row in inked:
        line: list[Part] = []
        for part, width in zip(row[:-1], widths, strict=False):
            line += [_padded(part, width), "  "]
        line.append(row[-1])
        out.line(*(clip(line, out.width) if out.live else line))


def short_id(case_id: str, out: Terminal) -> str:
    """The id as a column shows it: its beginning on a terminal, else whole for programs."""
    return case_id[:8] if out.live else case_id


def age(seconds: float) -> str:
    """How long ago, roughly: ``40 s``, ``5 min``, ``3 h``, ``12 d``."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def _text(part: Part) -> str:
    return part if isinstance(part, str) else part.text


def _padded(part: Part, width: int) -> Part:
    text = pad(_text(part), width)
    return text if isinstance(part, str) else Ink(text, part.style)
