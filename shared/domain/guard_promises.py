"""Finds commitments in a reply that nobody has allowed: refunds, presents, waivers, guarantees.

"Your request for a refund" mentions one; "you will get a refund" and "we give no refunds" decide on
one. A word of a family is a decision unless its surroundings make it a mention, and a mention is
fine only where customer or facts brought the matter up. Doubt counts as a decision.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from shared.domain.guard_promise_words import (
    COMMITS,
    COSTLY,
    MENTION_AFTER,
    MENTION_BEFORE,
    REFUSES_PROMISE,
    REGRET,
    REPORTED,
    TO_PROMISE,
    TRIGGERS,
)
from shared.domain.plain_text import fold_text
from shared.domain.topics import word_stems

_SENTENCE = re.compile(r"(?<=[.!?])\s|[。\n]")
_CLAUSE_END = re.compile(r"[,;:()]| - | (?:and|but|und|aber|et|mais|y|pero|e|ma|en|maar|mas) ")
_AROUND = 120
# Whatever was approved may be called approved and done.
_OF_ANY_ACTION = frozenset({"an approval", "something as done"})


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a reply may say of each family.

    Attributes:
        mentioned: Families that the customer or the business speaks of.
        offered: By family, what the facts offer, as stems of each sentence.
        approved: By family, what approved actions give, as stems.
    """

    mentioned: frozenset[str]
    offered: dict[str, tuple[frozenset[str], ...]]
    approved: dict[str, frozenset[str]]


def allowed(message: str, facts: Sequence[str], approved: Iterable[str]) -> Allowed:
    """What message, facts and descriptions of approved actions allow."""
    asked = fold_text(message)
    mentioned, offered = _in_facts(tuple(facts))
    given: dict[str, frozenset[str]] = {}
    for text in map(fold_text, approved):
        for family, words in TRIGGERS.items():
            if family in _OF_ANY_ACTION or words.search(text):
                given[family] = given.get(family, frozenset()) | word_stems(words.sub(" ", text))
    asked_for = {family for family, words in TRIGGERS.items() if words.search(asked)}
    return Allowed(mentioned | asked_for | set(given), offered, given)


@lru_cache(maxsize=64)
def _in_facts(
    facts: tuple[str, ...],
) -> tuple[frozenset[str], dict[str, tuple[frozenset[str], ...]]]:
    """Families that facts mention, and what they offer of each.

    A fact that only mentions a family, such as "the manager reviews requests for a refund", allows
    its mention and nothing more.
    """
    mentioned: set[str] = set()
    offered: dict[str, tuple[frozenset[str], ...]] = {}
    for sentence in (sentence for fact in facts for sentence in _sentences(fact)):
        for family, words in TRIGGERS.items():
            found = list(words.finditer(sentence))
            mentioned |= {family} if found else set()
            if any(not _is_mention(family, sentence, one) for one in found):
                told = word_stems(words.sub(" ", sentence))
                offered[family] = (*offered.get(family, ()), told)
    return frozenset(mentioned), offered


def commitments(reply: str, allow: Allowed) -> Iterator[tuple[str, str]]:
    """Families that the reply decides on without leave, each with the first words that do."""
    sentences = list(_sentences(reply))
    for family, words in TRIGGERS.items():
        every = ((sentence, found) for sentence in sentences for found in words.finditer(sentence))
        for sentence, found in every:
            if not _may_say(family, sentence, found, allow):
                yield family, sentence[max(0, found.start() - 20) : found.end() + 20]
                break


def _sentences(text: str) -> Iterator[str]:
    """Folded sentences of words, in which a figure such as $49.99 is one word."""
    for part in _SENTENCE.split(fold_text(text)):
        if part.strip():
            figures = re.sub(r"(?<=\d)[.,](?=\d)|[^\w\s,;:'()%.!?/-]", "", part)
            yield " ".join(figures.replace("%", " percent ").split())


def _may_say(family: str, sentence: str, found: re.Match[str], allow: Allowed) -> bool:
    if family in allow.mentioned | REPORTED | {"a guarantee"} and _is_mention(
        family, sentence, found
    ):
        return True
    words = TRIGGERS[family]
    said = _around(sentence, found, words)
    if family in allow.approved and (not said or said & allow.approved[family]):
        return True
    facts = allow.offered.get(family, ())
    if family in COSTLY:
        whole = word_stems(words.sub(" ", sentence))
        return any(_most(said, fact) and _most(fact, whole) for fact in facts)
    return any(2 * len(said & fact) > len(said) for fact in facts)


def _most(part: frozenset[str], whole: frozenset[str]) -> bool:
    """Whether three quarters of the one are in the other, and it is not empty."""
    return bool(part) and 4 * len(part & whole) >= 3 * len(part)


def _is_mention(family: str, sentence: str, found: re.Match[str]) -> bool:
    before = sentence[max(0, found.start() - _AROUND) : found.start()]
    after = sentence[found.end() : found.end() + _AROUND]
    if MENTION_BEFORE.search(before) or MENTION_AFTER.match(after):
        return True
    if REFUSES_PROMISE.search(before) and (family == "a guarantee" or TO_PROMISE.match(after)):
        return True
    regret = REGRET.search(before) if family in REPORTED else None
    return regret is not None and not COMMITS.search(regret["rest"] + found[0])


def _around(sentence: str, found: re.Match[str], words: re.Pattern[str]) -> frozenset[str]:
    """What the clause around a word is about, or where it says nothing, with the one before it."""
    starts, end = [0], len(sentence)
    for mark in _CLAUSE_END.finditer(sentence):
        if mark.end() <= found.start():
            starts.append(mark.end())
        elif mark.start() >= found.end():
            end = mark.start()
            break
    for start in reversed(starts):
        if about := word_stems(words.sub(" ", sentence[start:end])):
            return about
    return word_stems(words.sub(" ", sentence))
