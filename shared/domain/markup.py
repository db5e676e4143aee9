"""HTML of customers' messages as plain text. Pure.

Not ``html.parser``: half a megabyte of ``<a<a<a`` keeps it busy for ten minutes. Each character is
looked at a fixed number of times here.
"""

from __future__ import annotations

import re
from html import unescape

_COMMENT, _COMMENT_END = "<!--", "-->"
_TAG = re.compile(r"<!--|<(/?)([a-zA-Z][a-zA-Z0-9]*)[^<>]*>|<![a-zA-Z][^<>]*>")
_ENTITY = re.compile(
    r"&(?:#\d{1,7}(?!\d)|#[xX][0-9a-fA-F]{1,6}(?![0-9a-fA-F])|[a-zA-Z][a-zA-Z0-9]{1,31});?"
)
_UNSEEN = frozenset({"script", "style", "head", "title", "template"})
_BREAK = re.compile(
    r"br|address|article|blockquote|d[dlt]|div|footer|form|h[1-6r]|header|[ou]l|li|pre|section"
    r"|table|tr"
)
_SPACE = re.compile(r"\s+")
_BLANKS = re.compile(r" ?\n ?")
_GAPS = re.compile(r"\n{3,}")


def plain(html: str) -> str:
    """What a reader sees of HTML: text with line breaks, no tags, scripts or styles.

    What only looks like a tag stays: ``1 < 2``, ``I <3 you``.
    """
    seen: list[str] = []
    unseen, at = "", 0
    while found := _TAG.search(html, at):
        if not unseen:
            seen.append(_words(html[at : found.start()]))
        at, name = found.end(), (found[2] or "").lower()
        if found[0] == _COMMENT:
            end = html.find(_COMMENT_END, at)
            at = len(html) if end < 0 else end + len(_COMMENT_END)
        elif unseen:
            unseen = "" if found[1] and name == unseen else unseen
        elif name in _UNSEEN:
            unseen = "" if found[1] else name
        else:
            seen.append("\n\n" if name == "p" else "\n" if _BREAK.fullmatch(name) else "")
    if not unseen:
        seen.append(_words(html[at:]))
    return _GAPS.sub("\n\n", _BLANKS.sub("\n", "".join(seen))).strip()


def _words(text: str) -> str:
    return _SPACE.sub(" ", _ENTITY.sub(lambda found: unescape(found[0]), text))
