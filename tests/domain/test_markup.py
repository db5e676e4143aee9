"""HTML as plain text: what a reader sees, whatever was sent."""

from __future__ import annotations

import time
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.markup import plain


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hi <b>Bob</b>,</p><p>it is<br/>dirty.</p>", "Hi Bob,\n\nit is\ndirty."),
        ("<div>a</div><div>b</div>\n<ul><li>c<li>d</ul>", "a\n\nb\n\nc\nd"),
        ("1 < 2 &amp; 3 &gt; 2, I <3 you", "1 < 2 & 3 > 2, I <3 you"),
        ("&lt;script&gt;x&lt;/script&gt;", "<script>x</script>"),
        ("a&nbsp;b\u00a0c&#x1F600;&#128512;&bogus; &", "a b c😀😀&bogus; &"),
        ("<style>p{}</style><script>if (a</b) {}</SCRIPT >x<head><title>t</title></head>y", "xy"),
        ("<!-- <p>unseen</p> -->seen<!DOCTYPE html>", "seen"),
        ('<a href="https://e.com/?a=1&b=2">here</a>', "here"),
        ("no markup\nat all", "no markup at all"),
        ("&#99999999999999999999999; &#xFFFFFFFF;", "&#99999999999999999999999; &#xFFFFFFFF;"),
        ("", ""),
    ],
)
def test_what_a_reader_sees(html: str, text: str) -> None:
    assert plain(html) == text


@settings(deadline=None)  # the machine may be busy
@given(st.text())
def test_what_is_written_as_html_is_read_as_it_was(text: str) -> None:
    assert plain(escape(text)).split() == text.split()


@settings(deadline=None)  # the machine may be busy
@given(st.text(alphabet="<>/!-&#;abp \n'\"="))
def test_nothing_is_too_odd_to_be_read(html: str) -> None:
    assert plain(html) == plain(html).strip()


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a",
        "<!--",
        "<!-- --",
        "<script>",
        "<p>",
        "<a b='",
        "<!",
        "&",
        "&#9",
        "&a",
        " \n",
        "</",
    ],
)
def test_a_megabyte_of_anything_is_read_in_linear_time(piece: str) -> None:
    html = piece * (1024 * 1024 // len(piece))
    started = time.process_time()
    plain(html)
    assert time.process_time() - started < 10
