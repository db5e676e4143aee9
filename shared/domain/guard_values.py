"""Finds what a text states: phone numbers, links, addresses, money, dates, times, durations.

Each value says what it means in one form, so that 22:00, 10 pm and 22 Uhr are the same. What is
written in digits and fits no kind is a number. Every pattern is bounded: linear on any text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from shared.domain import guard_times as times
from shared.domain.guard_times import Found, Keys
from shared.domain.guard_words import (
    CURRENCIES,
    DIGITS,
    NUMBER,
    NUMBERS,
    RANGE,
    START,
    either,
    number_of,
)
from shared.domain.plain_text import clean_text, excerpt, fold_text

ValueKind = Literal[
    "phone number", "link", "e-mail address", "amount", "percentage", "date", "time", "duration",
    "deadline", "number",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """One value in a text.

    Attributes:
        shown: As written, on one line and cut.
        states: What a source that holds it makes known.
        accepts: A reply may hold it when a source states any of these. Empty: always.
    """

    kind: ValueKind
    shown: str
    states: frozenset[str]
    accepts: frozenset[str]


_ENDINGS = """
    com net org info biz io app dev shop store online site website xyz top club live link click
    email help chat cloud page blog pro mobi gov edu mil int eu uk de fr es it nl pt pl at ch be lu
    ie us ca mx br ar cl co pe in cn jp kr ru ua tr se no dk fi is cz sk hu ro bg gr il ae sa za ng
    ke au nz sg my th id vn ph hk tw me tv cc ly gl gg ai to fm la so st ws tk ml ga cf gq pw su рф
    example test local"""
_TLD = "|".join(_ENDINGS.split())
_OPEN, _CLOSE = r"\s{0,2}[\[({]\s{0,2}", r"\s{0,2}[\])}]\s{0,2}"
_HIDDEN_AT = re.compile(rf"{_OPEN}(?:at|@|arroba|ät){_CLOSE}", re.IGNORECASE)
_HIDDEN_DOT = re.compile(
    rf"{_OPEN}(?:dot|punkt|point|punto|\.){_CLOSE}|\s(?:dot|punkt|punto)\s(?=(?:{_TLD})\b)",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]{1,64}+@[\w-]{1,63}+(?:\.[\w-]{1,63}+)++")
_HANDLE = re.compile(r"@\w{2,40}")
_LINK = re.compile(
    r"(?<![\w@])(?:[a-z][a-z0-9+.-]{1,20}:/{1,3}|www\.|mailto:|tel:|sms:)[^\s<>\"]{1,2000}"
    rf"|(?<![\w@.-])(?:[^\W_][\w-]{{0,62}}+\.)+(?P<tld>{_TLD})(?![\w-])"
    r"(?::\d{1,5})?(?P<path>/[^\s<>\"]{0,2000})?",
    re.IGNORECASE,
)

_CURRENCY = "|".join(CURRENCIES.values())
_CODES = [(code, re.compile(words)) for code, words in CURRENCIES.items()]
_AMOUNT = re.compile(
    rf"(?:(?<![a-z])|(?=[^a-z]))(?P<before>{_CURRENCY}) ?(?P<a>{DIGITS}(?: ?k\b)?)"
    rf"(?:{RANGE}(?:{_CURRENCY})? ?(?P<b>{DIGITS}(?: ?k\b)?))?(?![\d])"
    rf"|{START}(?P<c>{NUMBER})(?:{RANGE}(?P<d>{NUMBER}))?[ -]?"
    rf"(?P<after>{_CURRENCY})(?:(?<=[^a-zł])|(?![^\W\d_]))"
)
_PERCENT = re.compile(
    rf"{START}(?P<a>{NUMBER})(?:(?: ?%)?{RANGE}(?P<b>{NUMBER}))?[ -]?"
    r"(?:%|‰|(?:percent|per cent|prozent\w{0,8}|pour ?cent|por ?ciento|por cento|per cento|procent"
    r"|pct)(?![a-z]))"
)

_DIGIT = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|null|eins|zwei|drei|vier|funf)"
_SPELLED = re.compile(rf"\b{_DIGIT}(?:[ ,-]{{1,2}}{_DIGIT}){{4,20}}\b")
_PHONE = re.compile(r"(?<![\w.,])(?:\+ ?|00)?\(?\d[\d ()./-]{5,26}\d(?!\w)")

_LIST_MARK = re.compile(r"(?:^|\n) {0,4}[1-9][.)] ")
_TOKEN = re.compile(r"#?[a-z0-9]++(?:[-./:,'][a-z0-9]++)*+")
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th|er|e|eme|o|a)")
_CLOCK = re.compile(r"([01]?\d|2[0-4])(?:\.([0-5]\d))?")
_COUNT = re.compile(rf"\b(?:{either(word for word, n in NUMBERS.items() if 0 < n <= 20)})\b")


def read_values(text: str) -> list[Value]:
    """Every value of the text, kind by kind."""
    values: list[Value] = []
    rest = _HIDDEN_DOT.sub(".", _HIDDEN_AT.sub("@", clean_text(text)))
    for kind, pattern, reader in _AS_WRITTEN:
        rest = _take(rest, kind, pattern, reader, values)
    rest = _LIST_MARK.sub("\n", fold_text(rest))
    for kind, pattern, reader in _FOLDED:
        rest = _take(rest, kind, pattern, reader, values)
    for name, shown, binding in times.deadlines(rest):
        key = {f"r:{name}"}
        values.append(_value("deadline", shown, key, key if binding else set()))
    return values


def stated(texts: Iterable[str]) -> frozenset[str]:
    """Everything that the texts make known, number words included."""
    known: set[str] = set()
    for text in texts:
        for value in read_values(text):
            known |= value.states
        known |= {f"n:{NUMBERS[word]}" for word in _COUNT.findall(fold_text(text))}
    return frozenset(known)


def _value(kind: ValueKind, shown: str, states: Keys, accepts: Keys) -> Value:
    return Value(kind, excerpt(shown, 40), frozenset(states), frozenset(accepts))


def _take(
    text: str,
    kind: ValueKind,
    pattern: re.Pattern[str],
    reader: Callable[[re.Match[str]], Found],
    values: list[Value],
) -> str:
    """Text without what the reader took, so that no later kind reads it again."""

    def take(found: re.Match[str]) -> str:
        read = list(reader(found))
        values.extend(_value(kind, found[0], states, accepts) for states, accepts in read)
        return " ¦ " if read else found[0]

    return pattern.sub(take, text)


def _email(found: re.Match[str]) -> Found:
    key = {f"e:{fold_text(found[0])}"}
    yield key, key


def _handle(found: re.Match[str]) -> Found:
    key = {f"l:{fold_text(found[0])}"}
    yield key, key


def _link(found: re.Match[str]) -> Found:
    ending = found["tld"]
    # "the room.It is" lacks a space; a link's ending is hardly ever written with one capital.
    if ending and not (ending.islower() or ending.isupper() or found["path"]):
        return
    link = re.sub(r"^(?:[a-z0-9+.-]+:/*)?(?:www\.)?", "", fold_text(found[0]))
    link = link.rstrip(".,;:!?)]}'\"/")
    yield {f"l:{link}", f"l:{re.split('[/?#:]', link)[0]}"}, {f"l:{link}"}


def _amount(found: re.Match[str]) -> Found:
    written = found["before"] or found["after"]
    currency = next(code for code, words in _CODES if words.fullmatch(written))
    for number in found.group("a", "b", "c", "d"):
        if number:
            value = number_of(number)
            yield {f"a:{value}:{currency}"}, {f"a:{value}:{currency}", f"a:{value}"}


def _percent(found: re.Match[str]) -> Found:
    for number in found.group("a", "b"):
        if number:
            key = {f"%:{number_of(number)}"}
            yield key, key


def _spelled(found: re.Match[str]) -> Found:
    digits = "".join(str(NUMBERS.get(word, 0)) for word in re.findall("[a-z]+", found[0]))
    key = {f"p:{digits.lstrip('0')}"}
    yield key, key


def _phone(found: re.Match[str]) -> Found:
    written = found[0]
    abroad = written.startswith(("+", "00"))
    digits = re.sub(r"\D", "", written.replace("(0)", "") if abroad else written)
    if not 7 <= len(digits) <= 17:
        return
    here = {f"p:{digits.lstrip('0')}"}
    if not abroad:
        yield here, here
        return
    digits = digits if written.startswith("+") else digits[2:]
    # A country code has one to three digits, and at home it is left out.
    keys = {f"p:{digits[code:]}" for code in range(4) if len(digits) - code >= 6} or here
    yield keys, keys


def _number(found: re.Match[str]) -> Found:
    token = found[0].lstrip("#")
    groups = re.findall(r"\d+", token)
    if not groups:
        return
    joined = re.sub(r"[^a-z0-9]", "", token)
    ordinal = _ORDINAL.fullmatch(token)
    named = re.search("[a-z]", joined) and not ordinal
    own = f"i:{joined}" if named else f"n:{number_of(ordinal[1] if ordinal else token)}"
    accepts = {own}
    if hour := _CLOCK.fullmatch(token):
        accepts |= times.clock(hour[1], hour[2] or "0")[1]
    yield {own, f"i:{joined}"} | {f"n:{number_of(group)}" for group in groups}, accepts


_AS_WRITTEN: tuple[tuple[ValueKind, re.Pattern[str], Callable[[re.Match[str]], Found]], ...] = (
    ("e-mail address", _EMAIL, _email),
    ("link", _LINK, _link),
    ("link", _HANDLE, _handle),
)
_FOLDED: tuple[tuple[ValueKind, re.Pattern[str], Callable[[re.Match[str]], Found]], ...] = (
    ("time", times.ALWAYS, times.always),
    ("amount", _AMOUNT, _amount),
    ("percentage", _PERCENT, _percent),
    ("phone number", _SPELLED, _spelled),
    ("date", times.DATE, times.date),
    ("date", times.WEEKDAY, times.weekday),
    ("time", times.TIME, times.time),
    ("duration", times.DURATION, times.duration),
    ("time", times.HOUR, times.hour),
    ("phone number", _PHONE, _phone),
    ("number", _TOKEN, _number),
)
