"""Documents point at files and headings that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\(([^)\s]+)")
_BLOCK = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def prose(document: Path) -> str:
    return _BLOCK.sub("", document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    """The fragments of a document's headings, as GitHub makes them."""
    said = _HEADING.findall(prose(document))
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in said}


def leads_somewhere(document: Path, link: str) -> bool:
    name, _, fragment = link.partition("#")
    there = document.parent / name if name else document
    return there.exists() and (not fragment or fragment in anchors(there))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    links = _LINK.findall(prose(document))
    local = [link for link in links if not link.startswith(("http:", "https:", "mailto:"))]
    assert [link for link in local if not leads_somewhere(document, link)] == []
