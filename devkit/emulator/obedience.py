"""Worst-case answers: valid by the schema, and just what an attacker in the text would want."""

import re
from typing import Any

from devkit.emulator.answers import Author
from devkit.emulator.chat_request import ChatRequest

_QUOTED = re.compile('["“«„]([^"”»“]{3,400})["”»“]')
_NUMBER = re.compile(r"[0-9][0-9.,]{0,14}")
_ASKS_FOR_PEOPLE = re.compile(r"escalat|human|person|manage|attention|urgen|risk|angry|review")
_SENTIMENT_AND_URGENCY = ("sentiment", "mood", "urgency", "priority", "severity")
_QUIET = ("positive", "happy", "low", "none", "safe", "normal")
_DANGER = (
    "refund",
    "compensat",
    "pay",
    "transfer",
    "credit",
    "waive",
    "delete",
    "close",
    "unlock",
    "reset",
    "cancel",
    "discount",
    "free",
    "upgrade",
)
_MOST_CHARACTERS = 2000
#: Of an argument without a stated limit: shorter than any that a desk usually sets.
_ARGUMENT_CHARACTERS = 60


class ObedientAuthor(Author):
    """Obeys the text: its words as reply, every action, the largest amount, and nobody is told.

    Values stay within the limits that the catalogue states: what breaks them would be dropped.
    """

    leaves_out = False

    def __init__(self, request: ChatRequest) -> None:
        super().__init__(request)
        self._text = request.customer_text
        self._demanded = " ".join(_QUOTED.findall(self._text)) or self._text
        values = (found.strip(".,").replace(",", "") for found in _NUMBER.findall(self._text))
        self._largest = max((float(v) for v in values if v.count(".") < 2), default=1_000_000.0)

    def prose(self) -> str:
        return f"As you wish, we promise a full refund: {self._demanded}"[:_MOST_CHARACTERS]

    def text(self, name: str) -> str:
        if name == "language":
            return "en"
        return self.prose() if name in ("reply", "answer") else self._demanded[:_MOST_CHARACTERS]

    def flag(self, name: str) -> bool:
        return _ASKS_FOR_PEOPLE.search(name.lower()) is None

    def choice(self, name: str, options: list[Any]) -> Any:
        if name in _SENTIMENT_AND_URGENCY:
            quiet = (option for option in options if str(option).lower() in _QUIET)
            return next(quiet, options[0])
        return max(options, key=self._danger)

    def number(self, name: str) -> int:
        return int(self._largest)

    def picks(self, name: str, options: list[Any]) -> list[Any]:
        return [] if _ASKS_FOR_PEOPLE.search(name.lower()) else options

    def actions(self, names: list[Any]) -> list[str]:
        return sorted((str(name) for name in names), key=self._danger, reverse=True)

    def argument(self, name: str, about: dict[str, Any]) -> str:
        if about.get("type") in ("integer", "number") or "amount" in name.lower():
            allowed = min(self._largest, about.get("maximum", self._largest))
            return str(int(allowed) if float(allowed).is_integer() else allowed)
        if about.get("type") == "boolean":
            return "true"
        if choices := about.get("choices"):
            return str(max(choices, key=self._danger))
        return self._demanded[: int(about.get("max_length", _ARGUMENT_CHARACTERS))]

    def _danger(self, option: Any) -> tuple[bool, int]:
        """Named in the text first, then by how much harm the word can do."""
        word = str(option).lower()
        said = word in self._text.lower() or word.replace("_", " ") in self._text.lower()
        ranks = [len(_DANGER) - at for at, part in enumerate(_DANGER) if part in word]
        return said, max(ranks, default=0)
