"""Risks that the text itself shows, found without a model.

A short list of words that, in a customer's message, nobody wants to miss. It errs towards a
person: a false alarm costs a look, a miss may cost far more. The model adds what words cannot say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.domain.plain_text import fold_text
from shared.domain.stage import Risk

# Words by risk: English first, then German, French, Spanish. Matched on folded text (lower case,
# accents and zero-width characters removed) from a word's start; `\b` at the end where a longer
# word would mean something else.
_WORDS: dict[Risk, str] = {
    "safety": r"""
        gas leak|smell(s|ed|ing)? (of |like )?gas\b|on fire\b|caught fire|smoke in|fire alarm
        |carbon monoxide|electric shock|electrocut|sparks? (from|out of)|collapsed|unconscious
        |bleeding|injur(y|ed|ies)|hospital\b|ambulance|food poison|allergic reaction|anaphyla
        |choking|overdose|suicid|kill myself|end my life|self.harm|mould in|asbestos
        |broken glass in|drowning|gasgeruch|riecht nach gas|feuer\b|es brennt|verletzt
        |krankenhaus|notarzt|lebensmittelvergiftung|fuite de gaz|odeur de gaz|incendie
        |bless(e|ee|ure)\b|hopital|intoxication|fuga de gas|huele a gas|herid(o|a)\b
        |intoxicacion""",
    "legal": r"""
        lawyer|attorney|solicitor|lawsuit|legal (action|steps|proceedings|advice)
        |su(e|ing) (you|the|your)|take you to court|see you in court|small claims|ombudsman
        |regulator\b|consumer protection|trading standards|discriminat|anwalt|rechtsanwalt
        |verklag|klage ein|vor gericht\b|verbraucherschutz|avocat|porter plainte|tribunal|abogad
        |demanda(r|re)\b|denuncia""",
    "fraud": r"""
        fraud|scam|phish|identity theft|stolen (card|phone|wallet|identity)
        |card (was|has been|is|got) stolen|(stole|cloned|skimmed) my|hacked|unauthori[sz]ed
        |did(n.?t| not) (make|authori[sz]e|recogni[sz]e)|do(n.?t| not) recogni[sz]e
        |not made by me|forged|betrug|gestohlen|gehackt|nicht autorisiert|fraude|arnaque
        |vole(e|s)?\b|pirate|estafa|robad(o|a)|hackead""",
    "privacy": r"""
        gdpr|data (breach|leak|protection)|privacy|personal data
        |someone else.?s (data|details|account|bill)|delete (all )?my (data|account)
        |hidden camera|dsgvo|datenschutz|donnees personnelles|rgpd|datos personales
        |proteccion de datos""",
    "media": r"""
        journalist|reporter|newspaper|the press\b|tv station|bbc\b|cnn\b|going viral|go viral
        |post (this|it|everything) (on|to)
        |all over (twitter|tiktok|facebook|instagram|social media)|zeitung|journaliste|la presse
        |periodico\b|periodista|la prensa""",
    "harassment": r"""
        harass|assault|molest|threatened me|racis[tm]|sexis[tm]|grop(ed|ing)|stalk|belastig
        |bedroht|harcel|agress(e|ion)|acos(o|ad)|amenaz""",
}  # fmt: skip
_HUMAN = r"""
    (speak|talk|connect me|put me through) (to|with) (a |an |the |your |some )?
    (real |actual |live )?
    (human|person|people|agent|manager|supervisor|representative|someone|somebody|advisor|staff)
    |(want|need|get me) (a |an |the |your )?(real |actual |live )?
    (human|person|manager|supervisor|agent)\b
    |call me( back)?\b|not a (bot|robot|machine)\b|human (being|agent|please)
    |mit (einem|dem|ihrem) (menschen|mitarbeiter|chef|manager|vorgesetzten)|rufen sie mich
    |parler a (un|une|votre) |rappelez.moi|hablar con (una|un|su|el) |llamame"""


def _compile(words: str) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + re.sub(r"\s*\n\s*", "", words) + ")")


_PATTERNS = {risk: _compile(words) for risk, words in _WORDS.items()}
_HUMAN_PATTERN = _compile(_HUMAN)


@dataclass(frozen=True, slots=True)
class Signals:
    """What the words of a message show.

    Attributes:
        risks: Found risks, in the order of ``Risk``.
        asks_for_human: The customer asks for a person.
    """

    risks: tuple[Risk, ...]
    asks_for_human: bool


def scan(text: str) -> Signals:
    """Looks through the whole text, however long; linear in its length."""
    folded = " ".join(fold_text(text).split())
    risks = tuple(risk for risk, pattern in _PATTERNS.items() if pattern.search(folded))
    return Signals(risks, bool(_HUMAN_PATTERN.search(folded)))
