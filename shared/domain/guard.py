"""The reply guard: what a model wrote is sent only if nothing in it is the model's own invention.

A pure function of the reply and of what may be said: the desk's facts, scene and title, approved
actions, and the customer's own text. It errs towards refusing; the caller then asks once more, and
after that sends the desk's safe acknowledgement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from shared.domain.desk import Desk
from shared.domain.guard_manner import ends, loops, markup, questions, self_descriptions
from shared.domain.guard_promises import allowed, commitments
from shared.domain.guard_values import ValueKind, read_values, stated
from shared.domain.language import Reading, differing, read_language
from shared.domain.plain_text import excerpt
from shared.domain.stage import Action
from shared.domain.topics import word_stems

ViolationKind = (
    ValueKind
    | Literal[
        "commitment",
        "question",
        "language",
        "length",
        "self-description",
        "markup",
        "repetition",
        "end",
    ]
)

MAX_VIOLATIONS = 8
# A model that loops may write far more than any limit; its beginning tells enough.
_READ_CHARS = 8000
_UNCHECKED_LETTERS = 40
_CONTACTS = frozenset({"phone number", "link", "e-mail address"})


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that a reply may not say.

    Attributes:
        text: What is wrong, to follow "The reply"; one line, at most 200 characters, holds words of
            the model or the customer in quotes.
    """

    kind: ViolationKind
    text: str


def check_reply(
    reply: str, *, desk: Desk, message: str, approved: Sequence[Action] = ()
) -> tuple[Violation, ...]:
    """Everything that keeps this reply from being sent; nothing when it may go out.

    Args:
        reply: As the model wrote it.
        desk: The desk that answers; its facts, scene and title may be stated.
        message: The customer's text, all turns, as the model saw it (masked).
        approved: Actions that a person, or the desk's file, has said yes to.
    """
    if not reply.strip():
        return (Violation("length", "is empty"),)
    found = dict.fromkeys(_check(reply[:_READ_CHARS], len(reply), desk, message, approved))
    return tuple(found)[:MAX_VIOLATIONS]


def _check(
    reply: str, length: int, desk: Desk, message: str, approved: Sequence[Action]
) -> Iterator[Violation]:
    if length > desk.max_reply_chars:
        limit = desk.max_reply_chars
        yield Violation("length", f"has {length} characters; {limit} is the most")
    business = (desk.title, desk.scene, *desk.facts)
    given = [_described(desk, action) for action in approved]
    told = "\n".join(business)
    yield from _values(reply, desk, message, given, approved)
    for family, words in commitments(reply, allowed(message, business, given)):
        text = f'decides on {family}, which the facts do not allow: "{excerpt(words)}"'
        yield Violation("commitment", text)
    if not desk.may_ask:
        yield from (Violation("question", text) for text in questions(reply))
    yield from _language(message, reply)
    yield from (Violation("self-description", t) for t in self_descriptions(reply, told))
    yield from (Violation("markup", text) for text in markup(reply, told + message))
    yield from (Violation("repetition", text) for text in loops(reply))
    yield from (Violation("end", text) for text in ends(reply))


def _described(desk: Desk, action: Action) -> str:
    """What an approved action lets a reply say: what it does and its arguments."""
    known = desk.action(action.name)
    does = known.description if known else ""
    arguments = (f"{name} {value}" for name, value in action.arguments.items())
    return ". ".join([action.name.replace("_", " "), does, *arguments])


def _values(
    reply: str, desk: Desk, message: str, given: Sequence[str], approved: Sequence[Action]
) -> Iterator[Violation]:
    values = [value for value in read_values(reply) if value.accepts]
    if not values:
        return
    anywhere = set(stated((desk.title, desk.scene, *given, message)))
    for action in approved:
        # An argument's number has no currency; the desk's catalogue says what it is.
        numbers = (n for n in action.arguments.values() if type(n) in (int, float))
        anywhere |= {f"a:{float(n):.15g}" for n in numbers}
    every = anywhere.union(*map(_in_fact, desk.facts))
    fitting = anywhere.union(*map(_in_fact, _fitting(desk.facts, reply, message)))
    for value in values:
        known = every if value.kind in _CONTACTS else fitting
        if not value.accepts & known:
            article = "an" if value.kind[0] in "aeiou" else "a"
            elsewhere = value.accepts & every
            where = "in a fact about something else" if elsewhere else "not in the facts"
            text = f'states {article} {value.kind} that is {where}: "{value.shown}"'
            yield Violation(value.kind, text)


def _fitting(facts: Sequence[str], reply: str, message: str) -> Sequence[str]:
    """Facts that have a word in common with reply or message: "by 6 pm" is no fact about a TV.

    All of them where reply and facts are not in the same language.
    """
    language = read_language(reply).code
    if language is None or language != _language_of(" ".join(facts)):
        return facts
    spoken = word_stems(reply) | word_stems(message)
    return [fact for fact in facts if word_stems(fact) & spoken]


# Facts are the same in every call; a customer's text is never kept.
@lru_cache(maxsize=1024)
def _in_fact(fact: str) -> frozenset[str]:
    return stated((fact,))


@lru_cache(maxsize=64)
def _language_of(facts: str) -> str | None:
    return read_language(facts).code


def _language(message: str, reply: str) -> Iterator[Violation]:
    if differ := differing(message, reply):
        asked, given = differ
        text = f"is in the language {given}, but the customer wrote in {asked}"
        yield Violation("language", text)
    elif _unreadable(read_language(reply)):
        yield Violation("language", "is in a language in which promises cannot be checked")


def _unreadable(reading: Reading) -> bool:
    """Whether no word list covers the language: another script, or no known word at all."""
    if reading.letters < _UNCHECKED_LETTERS or reading.code:
        return False
    return reading.script not in ("Latn", None) or not reading.known_words
