"""Numbers that name a person or an account, told from other numbers by their own check digits.

Everything here looks at text that is already in capitals and without separators.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

# Issuer ranges with the lengths that they use; ISO/IEC 7812 and the schemes' published lists.
_CARD = re.compile(
    r"""4(?:\d{12}|\d{15}|\d{18})                                        # Visa
    |(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}  # Mastercard
    |3[47]\d{13}                                                         # American Express
    |3(?:0[0-5]|[68]\d|9\d)\d{11}|36\d{14,17}                            # Diners Club
    |(?:6011|64[4-9]\d|65\d{2})\d{12,15}                                 # Discover, RuPay
    |35\d{14}|35(?:2[89]|[3-8]\d)\d{13,15}|(?:1800|2131)\d{11}           # JCB
    |(?:62|81|82|60)\d{14,17}|508\d{13}                                  # UnionPay, RuPay
    |220[0-4]\d{12,15}                                                   # Mir
    |(?:50|5[6-8]|63|67)\d{11,17}                                        # Maestro
    |9792\d{12}                                                          # Troy
    """,
    re.VERBOSE,
)

# Country, then the account's structure as in the SWIFT IBAN registry and
# for those that use IBANs without being in it: n digits, a letters, c both.
_IBANS = """
    AD 8n12c|AE 19n|AL 8n16c|AT 16n|AZ 4a20c|BA 16n|BE 12n|BG 4a6n8c|BH 4a14c|BI 23n|BR 23n1a1c
    |BY 4c4n16c|CH 5n12c|CR 18n|CY 8n16c|CZ 20n|DE 18n|DJ 23n|DK 14n|DO 4c20n|EE 16n|EG 25n|ES 20n
    |FI 14n|FK 2a12n|FO 14n|FR 10n11c2n|GB 4a14n|GE 2a16n|GI 4a15c|GL 14n|GR 7n16c|GT 4c20c|HN 4a20n
    |HR 17n|HU 24n|IE 4a14n|IL 19n|IQ 4a15n|IS 22n|IT 1a10n12c|JO 4a4n18c|KW 4a22c|KZ 3n13c|LB 4n20c
    |LC 4a24c|LI 5n12c|LT 16n|LU 3n13c|LV 4a13c|LY 21n|MC 10n11c2n|MD 2c18c|ME 18n|MK 3n10c2n|MN 16n
    |MR 23n|MT 4a5n18c|MU 4a19n3a|NI 4a20n|NL 4a10n|NO 11n|OM 3n16c|PK 4a16c|PL 24n|PS 4a21c|PT 21n
    |QA 4a21c|RO 4a16c|RS 18n|RU 14n15c|SA 2n18c|SC 4a20n3a|SD 14n|SE 20n|SI 15n|SK 20n|SM 1a10n12c
    |SO 19n|ST 21n|SV 4a20n|TL 19n|TN 20n|TR 5n1n16c|UA 6n19c|VA 18n|VG 4a16n|XK 16n|YE 4a4n18c
    |AO 21n|BF 2c22n|BJ 2c22n|CF 23n|CG 23n|CI 2a22n|CM 23n|CV 21n|DZ 22n|GA 23n|IR 22n|MA 24n
    |MG 23n|ML 2c22n|MZ 21n|NE 2a22n|SN 2a22n|TG 2a22n
"""
_CLASSES = {"n": "[0-9]", "a": "[A-Z]", "c": "[A-Z0-9]"}
#: Separators that people put into long numbers.
GAP = r"[ \t\n\r\v\f.\-_/·]"


def _iban_pattern() -> re.Pattern[str]:
    countries = []
    for entry in re.sub(r"\s*\n\s*", "", _IBANS).strip().split("|"):
        country, structure = entry.split()
        parts = re.findall(r"(\d+)([nac])", structure)
        account = "".join(rf"(?:{GAP}{{0,3}}{_CLASSES[kind]}){{{count}}}" for count, kind in parts)
        countries.append(rf"{country}{GAP}{{0,3}}[0-9]{GAP}?[0-9]{account}")
    return re.compile(rf"(?=((?:{'|'.join(countries)})))")


#: Group 1 is a possible IBAN, separators included; starts anywhere, so that no text hides one.
IBAN = _iban_pattern()


def is_card(digits: str) -> bool:
    """A card number: an issuer's prefix and length, and Luhn's check digit."""
    return bool(_CARD.fullmatch(digits)) and len(set(digits)) > 1 and luhn(digits)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(doubled)) % 10 == 0


def is_iban(text: str) -> bool:
    """ISO 13616: the number modulo 97 is 1."""
    moved = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _social_security(number: str) -> bool:
    area, group, serial = number[:3], number[3:5], number[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _national_insurance(number: str) -> bool:
    return number[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


def _dni(number: str) -> bool:
    value = number[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(value) % 23] == number[-1]


def _nir(number: str) -> bool:
    value = number[:13].replace("2A", "19").replace("2B", "18")
    return value.isdigit() and 97 - int(value) % 97 == int(number[13:])


def _steuer_id(number: str) -> bool:
    counts = sorted(number[:10].count(digit) for digit in set(number[:10]))
    if counts[-1] not in (2, 3) or counts[:-1] != [1] * (len(counts) - 1):
        return False
    product = 10
    for digit in number[:10]:
        total = (int(digit) + product) % 10 or 10
        product = 2 * total % 11
    return (11 - product) % 10 == int(number[10])


def _bsn(number: str) -> bool:
    return _weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and int(number) > 0


_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6,
     8, 12, 14, 16, 10, 22, 25, 24, 23), strict=True))  # fmt: skip


def _codice_fiscale(number: str) -> bool:
    even = sum(int(c) if c.isdigit() else ord(c) - 65 for c in number[1:15:2])
    return (sum(_ODD[c] for c in number[0:15:2]) + even) % 26 == ord(number[15]) - 65


def _cpf(number: str) -> bool:
    if len(set(number)) == 1:
        return False
    first = _weighted(number, tuple(range(10, 1, -1))) * 10 % 11 % 10
    second = _weighted(number, tuple(range(11, 1, -1))) * 10 % 11 % 10
    return number[9:] == f"{first}{second}"


_VERHOEFF_PRODUCT = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_TURN = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901",
    "2793806415", "7046913258",
)  # fmt: skip


def _aadhaar(number: str) -> bool:
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = int(_VERHOEFF_PRODUCT[check][int(_VERHOEFF_TURN[place % 8][int(digit)])])
    return check == 0


def _ahv(number: str) -> bool:
    return (10 - _weighted(number[:12], (1, 3) * 6) % 10) % 10 == int(number[12])


def _pesel(number: str) -> bool:
    return (10 - _weighted(number[:10], (1, 3, 7, 9) * 3) % 10) % 10 == int(number[10])


def _personnummer(number: str) -> bool:
    return luhn(number[-10:])


def _nif(number: str) -> bool:
    left = _weighted(number[:8], tuple(range(9, 1, -1))) % 11
    return (0 if left < 2 else 11 - left) == int(number[8])


@dataclass(frozen=True, slots=True)
class NationalId:
    """A kind of national number.

    Attributes:
        name: For the placeholder.
        pattern: In capitals, separators included.
        valid: Decides without separators.
        cue: Words that have to stand before it, where the form alone is too common.
    """

    name: str
    pattern: re.Pattern[str]
    valid: Callable[[str], bool]
    cue: str = ""


def _id(name: str, form: str, valid: Callable[[str], bool], cue: str = "") -> NationalId:
    return NationalId(name, re.compile(rf"(?<![A-Z0-9]){form}(?![A-Z0-9])"), valid, cue)


_S = r"[ .\-]?"
NATIONAL_IDS = (
    _id("US social security number", r"\d{3}-\d{2}-\d{4}", _social_security),
    _id("US social security number", rf"\d{{3}}{_S}\d{{2}}{_S}\d{{4}}", _social_security,
        r"SSN|SOCIAL SECURITY"),
    _id("UK national insurance number",
        rf"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:{_S}\d{{2}}){{3}}{_S}[A-D]", _national_insurance),
    _id("Spanish DNI", rf"\d{{2}}\.?\d{{3}}\.?\d{{3}}{_S}[A-Z]", _dni),
    _id("Spanish NIE", rf"[XYZ]{_S}\d{{7}}{_S}[A-Z]", _dni),
    _id("French social security number",
        rf"[12]{_S}\d{{2}}{_S}(?:0[1-9]|1[0-2]|[2-9]\d){_S}(?:\d{{2}}|2[AB]){_S}\d{{3}}{_S}\d{{3}}"
        rf"{_S}\d{{2}}", _nir),
    _id("German tax number", r"[1-9]\d (?:\d{3} ){2}\d{3}", _steuer_id),
    _id("German tax number", rf"[1-9]\d(?:{_S}\d{{3}}){{3}}", _steuer_id,
        r"STEUER-?\s?ID|IDNR|IDENTIFIKATIONSNUMMER|TAX ID"),
    _id("Dutch BSN", rf"\d{{3}}{_S}\d{{3}}{_S}\d{{3}}|\d{{4}}\.\d{{2}}\.\d{{3}}", _bsn,
        r"BSN|BURGERSERVICE|SOFINUMMER"),
    _id("Italian tax code",
        r"[A-Z]{6}[ ]?[0-9LMNP-V]{2}[A-EHLMPRST][0-9LMNP-V]{2}[ ]?[A-Z][0-9LMNP-V]{3}[A-Z]",
        _codice_fiscale),
    _id("Brazilian CPF", r"\d{3}\.\d{3}\.\d{3}-\d{2}", _cpf),
    _id("Brazilian CPF", r"\d{11}", _cpf, r"CPF"),
    _id("Aadhaar number", r"[2-9]\d{3}[ \-]\d{4}[ \-]\d{4}", _aadhaar),
    _id("Aadhaar number", r"[2-9]\d{11}", _aadhaar, r"AADHAA?R|AADHAR|UIDAI"),
    _id("Swiss AHV number", rf"756{_S}\d{{4}}{_S}\d{{4}}{_S}\d{{2}}", _ahv),
    _id("Polish PESEL", r"\d{11}", _pesel, r"PESEL"),
    _id("Swedish personal number", r"(?:\d{2})?\d{2}(?:0[1-9]|1[0-2])[0-3]\d[-+]?\d{4}",
        _personnummer, r"PERSONNUMMER|PERSONAL NUMBER"),
    _id("Portuguese NIF", rf"\d{{3}}{_S}\d{{3}}{_S}\d{{3}}", _nif, r"NIF|CONTRIBUINTE"),
    _id("Canadian SIN", rf"\d{{3}}{_S}\d{{3}}{_S}\d{{3}}", luhn, r"SIN|SOCIAL INSURANCE"),
)  # fmt: skip
