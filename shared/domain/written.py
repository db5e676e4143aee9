"""What people write in desk files is made of these: names, lines, addresses, hosts."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


# Narrower than the standard: what every mail server and every header takes as it is.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_EMAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
#: The last label is never a number: 0x7f.1 and 127.1 are addresses to some resolvers.
_HOST_NAME = re.compile(rf"(?:{_LABEL}\.)+(?:[a-z]{{2,63}}|xn--[a-z0-9-]{{0,58}}[a-z0-9])")


def is_host_name(text: str) -> bool:
    """True for a full DNS name in small ASCII letters; False for addresses and short names."""
    return len(text) <= 253 and _HOST_NAME.fullmatch(text) is not None


def is_storable(text: str) -> bool:
    """False for control characters and half surrogates, which tables and mails refuse."""
    return not _UNSTORABLE.search(text)


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("holds a control character; take it out")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", text):
        raise ValueError(
            f"{text[:60]!r} is not a name; use small letters, digits, - and _, "
            "a letter first, 40 characters at most"
        )
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text) or len(text) > 254:
        raise ValueError(f"{text[:60]!r} is not an e-mail address")
    return text


def _language(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2}", text):
        raise ValueError(
            f"{text[:60]!r} is not a language; write its two letters, such as en, de or fr"
        )
    return text


def _callback_host(text: str) -> str:
    host, _, port = text.partition(":")
    named = is_host_name(host.removeprefix("*."))
    if not named or (":" in text and not re.fullmatch(r"[1-9][0-9]{0,4}", port)):
        raise ValueError(
            f"{text[:60]!r} is not a host; write it in small letters without https:// and path, "
            "such as crm.example.com, *.example.com or crm.example.com:8443"
        )
    return text


Name = Annotated[str, AfterValidator(_name)]
CallbackHost = Annotated[str, AfterValidator(_callback_host)]
Email = Annotated[str, AfterValidator(_email)]
Language = Annotated[str, AfterValidator(_language)]
Text = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=4000),
    AfterValidator(_storable),
]
Line = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=400),
    AfterValidator(_storable),
]
Limit = Annotated[float, Field(allow_inf_nan=False)]


class Part(BaseModel):
    """Base of what people write in desk files: a misspelt field is an error, not ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def misfit(reason: str, *at: str | int) -> PydanticCustomError:
    """The error of two fields that contradict each other.

    Args:
        reason: What is wrong and what to do.
        at: The way to the field to change, from the part that is checked.
    """
    return PydanticCustomError("misfit", "{reason}", {"reason": reason, "at": at})


def reject_twice(what: str, names: list[str]) -> None:
    """Refuses a list in which two items have one name.

    Raises:
        PydanticCustomError: ``named_twice``.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PydanticCustomError(
            "named_twice", "{what} named twice: {names}", {"what": what, "names": ", ".join(twice)}
        )
