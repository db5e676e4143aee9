"""Masks what must never reach a model, a trace or a screen: cards, accounts, ids, secrets.

Found by form and check digit, not by guessing. A placeholder keeps what a person needs to recognise
it, such as ``[card ending 4242]``. Linear in the text, and masking twice changes nothing more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase

from shared.domain.masking_ids import GAP, IBAN, NATIONAL_IDS, is_card, is_iban, luhn
from shared.domain.plain_text import clean_text, fold_text
from shared.domain.stage import Secret


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without what was masked.

    Attributes:
        found: What was masked.
    """

    text: str
    found: tuple[Secret, ...] = ()


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    kind: Secret
    placeholder: str


# What one round masks may uncover a secret beside it; a second look then finds it.
_ROUNDS = 4


def mask(text: str) -> Masked:
    """Masks card numbers, IBANs, national ids, passwords and the like, and keys of known services.

    Works on prose and on JSON, which stays JSON: a number without quotes becomes a string.
    """
    found: list[Secret] = []
    for _ in range(_ROUNDS):
        plain, places = _plain(text)
        spans = [replace(s, start=places[s.start], end=places[s.end]) for s in _find(plain)]
        if _is_json(text):
            spans = list(_fit_json(text, spans))
        if not spans:
            break
        parts: list[str] = []
        done = 0
        for span in spans:
            parts += [text[done : span.start], span.placeholder]
            done = span.end
        text = "".join((*parts, text[done:]))
        found += (span.kind for span in spans)
    return Masked(text, tuple(found))


_JSON_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|-?[0-9][0-9.eE+-]*+')


def _is_json(text: str) -> bool:
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return False
    return True


def _fit_json(text: str, spans: Iterable[_Span]) -> Iterator[_Span]:
    """Spans within one string of a JSON text; a number outside becomes a string of its own."""
    tokens = _JSON_TOKEN.finditer(text)
    token = next(tokens, None)
    for span in spans:
        while token and token.end() <= span.start:
            token = next(tokens, None)
        if token is None or token.start() > span.start:
            continue
        if token[0][0] != '"' and token.end() >= span.end:
            yield _Span(*token.span(), span.kind, f'"{span.placeholder}"')
        elif token.end() > span.end:
            yield span


def _find(plain: str) -> list[_Span]:
    """What to mask, in the order of the text; what overlaps becomes one, named by what begins."""
    upper = plain.translate(_CAPITALS)
    every = [*_keys(plain), *_ibans(upper), *_cards(upper), *_national_ids(upper), *_secrets(plain)]
    # "PIN 4242 4242 4242 4242" is a card number, so a secret comes second where both begin.
    every.sort(key=lambda span: (span.start, span.kind == "password"))
    spans: list[_Span] = []
    for span in every:
        if spans and span.start < spans[-1].end:
            spans[-1] = replace(spans[-1], end=max(span.end, spans[-1].end))
        else:
            spans.append(span)
    return spans


# Not str.upper, which makes two characters of a German sharp s and so moves all that follows.
_CAPITALS = str.maketrans(ascii_lowercase, ascii_uppercase)
_ESCAPE_OR_ODD = re.compile(r'\\u[0-9a-fA-F]{4}|\\["\\/bfnrt]|[^\x00-\x7f]')


def _plain(text: str) -> tuple[str, range | list[int]]:
    """The text as finders read it, and where each of its characters stands in the original.

    Full-width digits are plain, dashes are hyphens, invisible characters are gone, and JSON escapes
    are what they stand for.
    """
    if text.isascii() and "\\" not in text:
        return text, range(len(text) + 1)
    parts: list[str] = []
    places: list[int] = []
    done = 0
    for odd in _ESCAPE_OR_ODD.finditer(text):
        parts.append(text[done : odd.start()])
        places.extend(range(done, odd.start()))
        done = odd.end()
        if shown := _looks_like(odd[0]):
            parts.append(shown)
            places.append(odd.start())
    parts.append(text[done:])
    places.extend(range(done, len(text) + 1))
    return "".join(parts), places


#: An escaped quote stands inside a JSON string and does not end it.
_INNER_QUOTE = "\x7f"


@lru_cache(maxsize=4096)
def _looks_like(written: str) -> str:
    """One character, or nothing for an invisible one."""
    if written[0] == "\\":
        if written[1] != "u":
            return {'"': _INNER_QUOTE, "\\": "\\", "/": "/"}.get(written[1], " ")
        written = chr(int(written[2:], 16))  # noqa: FURB166
    if written.isascii():
        return written if written.isprintable() else " "
    plain = clean_text(written)
    return plain if len(plain) <= 1 else written


_KEYS = re.compile(
    r"(?<![A-Za-z0-9_-])(?P<token>eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+)?)"
    r"|(?<![A-Za-z0-9_-])(?P<key>(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,}+|sk-[A-Za-z0-9_-]{20,}+"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])|gh[pousr]_[A-Za-z0-9]{20,}+"
    r"|github_pat_[A-Za-z0-9_]{20,}+|glpat-[A-Za-z0-9_-]{16,}+|xox[abprs]-[A-Za-z0-9-]{10,}+"
    r"|AIza[A-Za-z0-9_-]{30,}+|SG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+|npm_[A-Za-z0-9]{30,}+"
    r"|hf_[A-Za-z0-9]{30,}+|dop_v1_[a-f0-9]{40,}+)"
    r"|(?<=AccountKey=)(?P<account>[A-Za-z0-9+/]{40,}+={0,2})"
    r"|(?<=[?&]sig=)(?P<signature>[A-Za-z0-9%+/]{20,}+)"
    r"|(?<![A-Za-z])[Bb]earer (?P<bearer>[A-Za-z0-9._~+/-]{20,}+=*+)"
    r"|(?P<private>-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*+(?:-----END [A-Z ]{0,30}-----)?)"
)
_KEY_NAMES = {"token": "[token]", "bearer": "[token]", "private": "[private key]"}


def _keys(plain: str) -> Iterator[_Span]:
    for found in _KEYS.finditer(plain):
        name = found.lastgroup or ""
        yield _Span(*found.span(name), "key", _KEY_NAMES.get(name, "[API key]"))


_GAPS = re.compile(f"{GAP}+")


def _ibans(upper: str) -> Iterator[_Span]:
    done = 0
    for found in IBAN.finditer(upper):
        if found.start() < done:
            continue
        number = _GAPS.sub("", found[1])
        if is_iban(number):
            done = found.end(1)
            yield _Span(found.start(1), done, "IBAN", f"[IBAN {number[:2]}…{number[-2:]}]")


_RUN = re.compile(rf"(?<!\d)\d(?:{GAP}{{0,3}}+\d)*+")
_GROUP = re.compile(r"\d+")
_CARD_CUE = re.compile(
    r"(?:CARD|KARTE|KARTENNUMMER|CARTE|TARJETA|CARTA|KAART|CARTAO|CARTÃO)"
    r"(?: ?(?:NUMBER|NO\.?|NUMMER|NUMERO|NÚMERO))?(?:\W{0,4}|\W{1,3}(?:IS|IST|EST|ES)\W{0,3})\Z"
)
_PHONE_DIGITS = 15  # at most, with the country code: ITU-T E.164
#: How people group a card's digits, beside groups of one size with a shorter last one.
_GROUPINGS = [
    bytes(sizes)
    for sizes in ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 5), (6, 10), (6, 13))
]


def _cards(upper: str) -> Iterator[_Span]:
    for run in _RUN.finditer(upper):
        if run.end() - run.start() < 12:
            continue
        groups = [found.span() for found in _GROUP.finditer(upper, *run.span())]
        number = _GAPS.sub("", run[0])
        if upper[run.start() - 1 : run.start()] == "+" and len(number) <= _PHONE_DIGITS:
            continue
        spans = list(_cards_in(groups, number))
        # An issuer that we do not know, or the twelve digits of an old Maestro card.
        called = _CARD_CUE.search(upper[max(0, run.start() - 40) : run.start()])
        if called and not spans and 12 <= len(number) <= 19 and luhn(number):
            spans = [_card(*run.span(), number)]
        yield from spans


def _cards_in(groups: list[tuple[int, int]], digits: str) -> Iterator[_Span]:
    """Card numbers in a row of digit groups, given by their places; all digits in ``digits``."""
    sizes = bytes(min(end - start, 255) for start, end in groups)
    alike = [1] * len(sizes)  # how many groups from here on have one size
    for index in range(len(sizes) - 2, -1, -1):
        if sizes[index] == sizes[index + 1]:
            alike[index] = alike[index + 1] + 1
    offset = index = 0
    while index < len(groups):
        count = length = 0
        for count, length in _candidates(sizes, alike[index], index):
            if is_card(digits[offset : offset + length]):
                number = digits[offset : offset + length]
                yield _card(groups[index][0], groups[index + count - 1][1], number)
                break
        else:
            count, length = 1, groups[index][1] - groups[index][0]
        offset, index = offset + length, index + count


def _candidates(sizes: bytes, alike: int, first: int) -> Iterator[tuple[int, int]]:
    """How many groups from the first on may be one card number, and how many digits that is."""
    size = sizes[first]
    if 13 <= size <= 19:
        yield 1, size
    for grouping in _GROUPINGS:
        if size == grouping[0] and sizes.startswith(grouping, first):
            yield len(grouping), sum(grouping)
    if size <= 6:
        for count in range(-(-13 // size), min(alike, 19 // size) + 1):
            yield count, count * size
        after = first + alike
        last = sizes[after] if after < len(sizes) else size
        if last < size and 13 <= alike * size + last <= 19:
            yield alike + 1, alike * size + last


def _card(start: int, end: int, number: str) -> _Span:
    return _Span(start, end, "card number", f"[card ending {number[-4:]}]")


_ID_CUE_CHARS = 60


def _national_ids(upper: str) -> Iterator[_Span]:
    for kind in NATIONAL_IDS:
        for found in kind.pattern.finditer(upper):
            before = upper[max(0, found.start() - _ID_CUE_CHARS) : found.start()]
            if kind.cue and not re.search(rf"\b(?:{kind.cue})", before):
                continue
            number = re.sub(r"[ .+-]", "", found[0])
            if kind.valid(number):
                placeholder = f"[{kind.name} …{number[-2:]}]"
                yield _Span(found.start(), found.end(), "national id", placeholder)


# Words after "my password is" that say something about it instead of giving it away.
_NEVER_GIVEN = """
    a an the my your not no n't is was be been being also still again too so very now
    wrong incorrect invalid false correct right blocked locked expired lost forgotten forgot stolen
    working rejected refused declined denied changed reset missing needed required unknown unsafe
    safe secure compromised weak strong leaked known unblocked disabled protected sent shown
    displayed asked requested entered used accepted recognised recognized it that this to for of on
    at in and or but because what where how when why just only never always already supposed going
    doing getting there here one ok okay fine gone failing broken asking saying telling given
    falsch richtig nicht gesperrt weg vergessen abgelaufen kein keine ungultig incorrect bloque
    perdu oublie expire pas faux incorrecto incorrecta bloqueado bloqueada olvidado olvidada no
    caducado errata sbagliata sbagliato bloccata bloccato scaduta scaduto dimenticata verlopen
    verkeerd geblokkeerd vergeten niet errada errado bloqueada esquecida incorreta"""
_PLAIN_WORDS = frozenset(_NEVER_GIVEN.split())
_PLACEHOLDER = (
    r"\[(?:card ending|IBAN \w|password|PIN|security code|one-time code|token|API key|private key"
    rf"|passport number|{'|'.join(kind.name for kind in NATIONAL_IDS)})"
)
_WORDS_FOR_ONE = (
    r"pass ?words?|pass ?phrase|passwd|pwd|kennwort|passwort|mot de passe|contrase[ñn]a"
    r"|wachtwoord|senha|palavra-passe|has[łl]o|client[_ -]?secret|パスワード|密码"
)
_PIN = r"pin(?: ?-?code| ?-?number|-?nummer)?|passcode|code pin|geheimzahl"
_CVV = r"cvv2?|cvc2?|cv2|card security code|security code|pr[üu]fziffer|cryptogramme"
_CODE = (
    r"(?:one[- ]time|verification|sms|authentication|2fa|two[- ]factor|login|access|activation)"
    r"[- _]?(?:code|password|passcode|pin)|otp|m?tan|best[äa]tigungscode|code de v[ée]rification"
    r"|c[óo]digo de verificaci[óo]n"
)
_OF = r"(?: (?:for|of|to|von|für|de|del|der|voor)(?: [\w-]{1,20}){1,4}?)?"
_IS = (
    r"(?:[\"'\x7f]?\s{0,3}(?::=|[:=])\s{0,3}"
    r"|\s{1,3}(?:->|(?:is|was|ist|lautet|est|es|è|e'|é)(?![^\W\d_]))"
    r"(?: now| still| jetzt| maintenant)?\s{0,2}(?::\s{0,2})?)"
)
_SECRETS = re.compile(
    rf"(?<![^\W_])(?:(?P<password>{_WORDS_FOR_ONE})|(?P<pin>{_PIN})|(?P<cvv>{_CVV})|(?P<code>{_CODE})"
    r"|(?P<passport>passport (?:no\.?|number|nr\.?)|reisepass(?:nummer|-?nr\.?)))"
    rf"(?![^\W\d_])(?:{_OF}(?P<is>{_IS})|{_OF}\s(?:to|into)\s{{1,3}}|[\s#(]{{1,3}})"
    r"(?:(?:the |this )?(?:number|code) )?"
    rf"(?!.?{_PLACEHOLDER})(?:\"(?P<quoted>[^\"\n]{{1,500}})|\x7f(?P<inner>[^\"\x7f\n]{{1,500}})"
    r"|['“„«\u2018](?P<styled>[^\"'”“»\u2019\n]{1,500})|(?P<bare>[^\s\"\x7f]{1,500}))",
    re.IGNORECASE,
)
_PARTED = re.compile(r"\d(?:[ -]?\d){2,11}")
_NUMERIC = {"pin": (3, 12), "cvv": (3, 4), "code": (4, 10)}
_SECRET_NAMES = {
    "password": "[password]",
    "pin": "[PIN]",
    "cvv": "[security code]",
    "code": "[one-time code]",
    "passport": "[passport number]",
}


def _secrets(plain: str) -> Iterator[_Span]:
    at = 0
    while found := _SECRETS.search(plain, at):
        what = next(name for name in _SECRET_NAMES if found[name])
        group = found.lastgroup or ""
        start, end = found.span(group)
        value = found[group]
        if group == "bare":
            value = value.rstrip(".,;:)]}\"'")
            if what in _NUMERIC and (digits := _PARTED.match(plain, start)):
                value = digits[0]
            end = start + len(value)
        if value and _is_secret(what, value, clear=found["is"] is not None):
            yield _Span(start, end, "password", _SECRET_NAMES[what])
            at = end
        else:
            at = max(found.end(what), found.start() + 1)


def _is_secret(what: str, value: str, *, clear: bool) -> bool:
    """Whether a word after a cue is the secret; ``clear`` when a colon or "is" announces it."""
    if what in _NUMERIC:
        least, most = _NUMERIC[what]
        count = sum(character.isdigit() for character in value)
        least = least if clear or what == "cvv" else 4
        return least <= count <= most and not re.search(r"[^\W\d_]", value)
    if what == "passport" or not clear:
        letters = what == "passport" or re.search(r"[^\W\d_]", value)
        return len(value) >= 5 and bool(letters and re.search(r"\d", value))
    return re.sub(r"[^\w']", "", fold_text(value)) not in _PLAIN_WORDS
