"""Finds dates, times of day, durations and deadlines in folded text, and says what they mean.

A reader yields, for each match, the keys that it makes known and the keys that allow it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.domain.guard_words import (
    ANNOUNCED,
    CLEAR_MONTHS,
    MONTHS,
    NUMBER,
    NUMBERS,
    ONLY_ANNOUNCED,
    RANGE,
    RELATIVE,
    START,
    UNITS,
    WEEKDAYS,
    either,
    number_of,
)

Keys = set[str]
Found = Iterator[tuple[Keys, Keys]]

_MONTH = rf"(?:{either(MONTHS)})"
DATE = re.compile(
    r"(?<![\d.,/-])(?P<y1>\d{4})[-/.](?P<m1>\d{1,2})[-/.](?P<d1>\d{1,2})(?!\d)"
    r"|(?<![\d.,/-])(?P<p>\d{1,2})(?P<sep>[./-])(?P<q>\d{1,2})(?P=sep)(?P<y2>\d{4}|\d{2})(?![\d-])"
    r"|(?<![\d.,/:-])(?P<s>\d{1,2})(?:/(?P<t>\d{1,2})(?![\d/])|\.(?P<u>\d{1,2})\.(?!\d))"
    rf"|(?<![\w.,])(?P<d2>\d{{1,2}})(?:st|nd|rd|th|er|\.|o)? ?(?:of |de |di )?(?P<n1>{_MONTH})\b"
    r"\.?(?:,? (?:de |of |del )?(?P<y3>\d{4})(?!\d))?"
    rf"|\b(?P<n2>{_MONTH})\b\.? (?:the )?(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?(?![\d:]|[.,]\d)"
    r"(?:,? (?P<y4>\d{4})(?!\d))?"
    rf"|\b(?P<n3>{_MONTH}) (?:de |of )?(?P<y5>\d{{4}})(?!\d)"
    rf"|\b(?P<n4>{either(CLEAR_MONTHS)})\b"
    r"|\b(?:in|by|until|since|next|last|this|im|bis|ab|en|em|au mois de) "
    rf"(?P<n5>{_MONTH})\b(?! (?:i|we|be|not)\b)"
)
_DAYS = range(1, 32)
_SHORT_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAY = re.compile(
    rf"\b(?:(?P<day>{either(WEEKDAYS)})"
    rf"|(?:on|by|until|next|this|till) (?P<short>{'|'.join(_SHORT_DAYS)}))\b"
)

ALWAYS = re.compile(
    r"24 ?/ ?7|24 ?h(?:ours|eures|oras)? ?(?:/ ?24|a day|al dia|por dia)|24 stunden am tag"
    r"|(?:a?round) the clock|day and night|rund um die uhr|tag und nacht|jour et nuit|dia y noche"
)
_HOUR = r"(?:[01]?\d|2[0-4])"
_CLOCK = rf"{_HOUR}(?:[:.][0-5]\d)?"
_HALF = r"a\.?m\b\.?|p\.?m\b\.?"
_MARK = rf"{_HALF}|uhr\b|o'clock"
_WITHIN = (
    r"(?<!within )(?<!innerhalb von )(?<!dans )(?<!sous )(?<!dentro de )(?<!entro )(?<!binnen )"
)
_BEFORE = r"(?<![\d.,:])(?<!\d[-/])"
TIME = re.compile(
    rf"(?<![\d.,:])(?P<h1>{_HOUR})(?::| ?h ?)(?P<m1>[0-5]\d)(?![\d:])"
    rf" ?(?:(?P<k1>{_HALF})|uhr\b|h\b)?"
    rf"|{_BEFORE}{_WITHIN}(?P<r1>{_CLOCK})(?: ?(?:{_MARK}|h))?{RANGE}"
    rf"(?P<r2>{_CLOCK}) ?(?P<rm>{_MARK}|(?:h|uur)\b)"
    rf"|{_BEFORE}(?P<h2>{_HOUR})\.(?P<m2>[0-5]\d) ?(?P<k2>{_MARK}|h\b)"
    rf"|{_BEFORE}(?P<h3>{_HOUR}) ?(?P<k3>{_MARK})(?: (?P<m3>[0-5]\d)\b)?"
    # "22 heures" is ten in the evening or a span of time; either reading will do.
    rf"|{_BEFORE}{_WITHIN}(?P<h4>{_HOUR}) ?(?:h|heures?|horas?|ore|uur)\b"
    r"|\b(?P<noon>noon|midday|mittags?|midi|mediodia|mezzogiorno|meio-dia)\b"
    r"|\b(?P<midnight>midnight|mitternachts?|minuit|medianoche|mezzanotte|middernacht|meia-noite)\b"
)
_EARLY = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
HOUR = re.compile(
    rf"\b(?:at|by|until) (?P<word>{_EARLY})(?= (?:in the|o'clock|tonight|sharp)|[.,!;]|$)"
    r"|\b(?:at|by|until|till|before|after|around|from|since|to|um|ab|bis|gegen|vor|nach|a las|las"
    r"|vers|avant|apres|jusqu'a|alle|dalle|om|voor|tot|vanaf|as|ate as|os)"
    rf" (?P<bare>{_HOUR})(?![\d]|[.,:]\d|-[a-z\d])"
)

_FEW = (
    r"few|couple of|several|some|einigen?|wenigen?|paar|nachsten|kommenden|quelques|prochain(?:e)?s"
    r"|algun[oa]s|unos|pocos|proxim[oa]s|qualche|poch[ei]|prossim[ei]|enkele|alguns|poucos"
)
_UNIT = "|".join(f"(?:{words})" for words in UNITS.values())
_END = r"(?![^\W\d_])"
DURATION = re.compile(
    r"(?P<half>half an hour|halben? stunde|demi-heure|media hora|mezz'ora|half uur)"
    rf"|{START}(?!0\d)(?P<a>{NUMBER})(?:{RANGE}(?!0\d)(?P<b>{NUMBER}))?[ -]?"
    rf"(?:more |full |whole |further |weitere |volle )?(?P<unit>{_UNIT}){_END}"
    r"|\b(?:within|in|for|after|takes|up to|less than|under|about|innerhalb|binnen|dans|sous|en"
    r"|dentro de|entro|em|tra|over) (?:about |just )?"
    rf"(?:a|an|einer|einem|eines|un|une|una|um|uma|een) (?P<one>{_UNIT}){_END}"
    r"|\bwithin (?:the|this) (?P<this>hour|day|week|month)\b"
    rf"|\b(?:{_FEW})(?: (?:more|{_FEW}|working|business))? (?P<few>{_UNIT}){_END}"
    rf"|\b(?:within|the next|the coming|coming|next) (?:the )?(?P<soon>{_UNIT})(?<=s){_END}"
)
_UNITS = [(unit, re.compile(words)) for unit, words in UNITS.items()]
_RELATIVE = [(name, re.compile(words)) for name, words in RELATIVE.items()]


def date(found: re.Match[str]) -> Found:
    """A day, a month or both; where day and month may be swapped, either reading."""
    part = found.groupdict()
    year = part["y1"] or part["y2"] or part["y3"] or part["y4"] or part["y5"]
    name = part["n1"] or part["n2"] or part["n3"] or part["n4"] or part["n5"]
    if name:
        days = [(part["d2"] or part["d3"], MONTHS[name])]
    elif part["y1"]:
        days = [(part["d1"], int(part["m1"]))]
    else:
        one, two = part["p"] or part["s"], part["q"] or part["t"] or part["u"]
        days = [(one, int(two))]
        if part["u"] is None:
            days.append((two, int(one)))
    days = [(day, month) for day, month in days if 1 <= month <= 12 and int(day or 1) in _DAYS]
    states: Keys = set()
    accepts: Keys = set()
    for day, month in days:
        exact = f"on:{int(day)}-{month}" if day else f"mo:{month}"
        states |= {f"mo:{month}", exact} | ({f"n:{int(day)}"} if day else set())
        if year:
            states |= {f"{exact}-{int(year) % 100}", f"n:{year}"}
            exact = f"{exact}-{int(year) % 100}"
        accepts.add(exact)
    if days:
        yield states, accepts


def weekday(found: re.Match[str]) -> Found:
    """A day of the week."""
    word = found["day"]
    if word:
        number = next(n for words, n in WEEKDAYS.items() if re.fullmatch(words, word))
    else:
        number = _SHORT_DAYS.index(found["short"])
    yield {f"wd:{number}"}, {f"wd:{number}"}


def always(_: re.Match[str]) -> Found:
    """Day and night."""
    yield {"always"}, {"always"}


def clock(hour: str, minute: str | None = None, mark: str | None = None) -> tuple[Keys, Keys]:
    """What a time makes known and what allows it, in minutes of the day.

    Without am or pm, a reply's time may be either half of the day, a source's only if it has no
    minutes.
    """
    h, m = int(hour), int(minute or 0)
    mark = (mark or "").replace(".", "")
    if mark in ("am", "pm") and h <= 12:
        key = {f"t:{(h % 12 + (12 if mark == 'pm' else 0)) * 60 + m}"}
        return key, key
    exact = h % 24 * 60 + m
    both = {f"t:{exact}"} | ({f"t:{(exact + 720) % 1440}"} if 0 < h <= 12 else set())
    vague = minute is None and mark in ("", "o'clock")
    return (both if vague else {f"t:{exact}"}), ({f"t:{exact}"} if mark == "uhr" else both)


def time(found: re.Match[str]) -> Found:
    """A time of day with a mark such as ``:``, am, Uhr or h, or two of them."""
    part = found.groupdict()
    if part["noon"] or part["midnight"]:
        key = {"t:720" if part["noon"] else "t:0"}
        yield key, key
    elif part["r1"]:
        for text, mark in ((part["r1"], None), (part["r2"], part["rm"])):
            hour, _, minute = text.replace(".", ":").partition(":")
            yield clock(hour, minute or None, mark)
    elif part["h4"]:
        states, accepts = clock(part["h4"], mark="uhr")
        span = {f"d:{int(part['h4']) * 60}"}
        yield states | span, accepts | span
    else:
        hour = part["h1"] or part["h2"] or part["h3"]
        minute = part["m1"] or part["m2"] or part["m3"]
        yield clock(hour, minute, part["k1"] or part["k2"] or part["k3"])


def hour(found: re.Match[str]) -> Found:
    """A bare hour after a word such as "until"; it may be a mere number as well."""
    number = int(found["bare"] or NUMBERS[found["word"]])
    states, accepts = clock(str(number))
    yield states | {f"n:{number}"}, accepts | {f"n:{number}"}


def duration(found: re.Match[str]) -> Found:
    """A span of time; working days are no days."""
    part = found.groupdict()
    if part["half"]:
        yield {"d:30"}, {"d:30"}
        return
    word = part["unit"] or part["one"] or part["this"] or part["few"] or part["soon"]
    unit = next(unit for unit, words in _UNITS if re.fullmatch(words, word))
    if part["few"] or part["soon"]:
        yield {f"d:few:{unit}"}, {f"d:few:{unit}"}
        return
    for written in (part["a"], part["b"]) if part["unit"] else ("1",):
        if written:
            number = number_of(written)
            key = f"d:{number}:{unit}"
            if unit.isdigit() and number.isdigit():
                key = f"d:{int(number) * int(unit)}"
            yield {key, f"n:{number}"}, {key}


def deadlines(text: str) -> Iterator[tuple[str, str, bool]]:
    """Words such as "tomorrow": what they mean, as written, and whether they set a deadline."""
    for name, pattern in _RELATIVE:
        for found in pattern.finditer(text):
            yield name, found[0], name not in ONLY_ANNOUNCED or _announced(text, found)


def _announced(text: str, found: re.Match[str]) -> bool:
    """Whether the sentence around a word says what will be done."""
    before = re.split(r"[.!?\n]", text[max(0, found.start() - 160) : found.start()])[-1]
    after = re.split(r"[.!?\n]", text[found.end() : found.end() + 80])[0]
    return ANNOUNCED.search(before) is not None or ANNOUNCED.search(after) is not None
