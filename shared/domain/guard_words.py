"""Words for numbers, money and time in the languages that the guard reads. All folded.

English, German, French, Spanish, Italian, Dutch, Portuguese. Polish for the commonest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

_COUNTED = (
    "zero null cero nul",
    "one eins uno jeden",
    "two zwei zwo deux dos due twee dois duas dwa dwie",
    "three drei trois tres tre drie trzy",
    "four vier quatre cuatro quattro quatro cztery",
    "five funf fuenf cinq cinco cinque vijf piec",
    "six sechs seis sei zes szesc",
    "seven sieben sept siete sette zeven sete siedem",
    "eight acht huit ocho otto oito osiem",
    "nine neun neuf nueve nove negen dziewiec",
    "ten zehn dix diez dieci tien dez dziesiec",
    "eleven elf onze once undici",
    "twelve zwolf zwoelf douze doce dodici twaalf doze",
    "thirteen dreizehn treize trece tredici dertien treze",
    "fourteen vierzehn quatorze catorce quattordici veertien",
    "fifteen funfzehn fuenfzehn quinze quince quindici vijftien",
    "sixteen sechzehn seize dieciseis sedici zestien dezesseis",
    "seventeen siebzehn dix-sept diecisiete diciassette zeventien dezessete",
    "eighteen achtzehn dix-huit dieciocho diciotto achttien dezoito",
    "nineteen neunzehn dix-neuf diecinueve diciannove negentien dezenove",
    "twenty zwanzig vingt veinte veinti venti vent twintig vinte",
)
_TENS = {
    30: "thirty dreissig trente treinta trenta trent dertig trinta",
    40: "forty vierzig quarante cuarenta quaranta veertig quarenta",
    50: "fifty funfzig fuenfzig cinquante cincuenta cinquanta vijftig cinquenta",
    60: "sixty sechzig soixante sesenta sessanta zestig sessenta",
    70: "seventy siebzig setenta settanta zeventig",
    80: "eighty achtzig quatre-vingt quatre-vingts ochenta ottanta tachtig oitenta",
    90: "ninety neunzig noventa novanta negentig",
    100: "hundred hundert cent cents cien ciento cento honderd cem",
    1000: "thousand tausend mille mil mila duizend",
}
NUMBERS = {word: n for n, words in enumerate(_COUNTED) for word in words.split()} | {
    word: n for n, words in _TENS.items() for word in words.split()
}

MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "january januar janvier enero gennaio januari janeiro jan",
            "february februar fevrier febrero febbraio februari fevereiro feb",
            "march marz maerz mars marzo maart marco mar",
            "april avril abril aprile apr",
            "may mai mayo maggio mei maio",
            "june juni juin junio giugno junho jun",
            "july juli juillet julio luglio julho jul",
            "august aout agosto augustus aug",
            "september septembre septiembre settembre setembro sep sept",
            "october oktober octobre octubre ottobre outubro oct okt",
            "november novembre noviembre novembro nov",
            "december dezember decembre diciembre dicembre dezembro dec dez",
        ),
        start=1,
    )
    for word in words.split()
}
#: Names that mean something else too often to count without a day or a word before them.
_SHARED_MONTHS = (
    "may mai mei march mars marco mar jan feb apr jun jul aug sep sept oct okt nov dec dez"
)
CLEAR_MONTHS = [word for word in MONTHS if word not in _SHARED_MONTHS.split()]

WEEKDAYS = {
    word: number
    for number, words in enumerate(
        (
            "mondays? montags? lundi lunes lunedi maandag segunda-feira",
            "tuesdays? tues dienstags? mardi martes martedi dinsdag terca-feira",
            "wednesdays? mittwochs? mercredi miercoles mercoledi woensdag quarta-feira",
            "thursdays? thurs donnerstags? jeudi jueves giovedi donderdag quinta-feira",
            "fridays? freitags? vendredi viernes venerdi vrijdag sexta-feira",
            "saturdays? samstags? sonnabends? samedi sabado sabato zaterdag",
            "sundays? sonntags? dimanche domingo domenica zondag",
        )
    )
    for word in words.split()
}

CURRENCIES = {
    "USD": r"us\$|usd|\$|dollars?|dollari|dolares|dolar|bucks",
    "EUR": "€|eur|euros?|euro's",
    "GBP": "£|gbp|pounds?|quid|pfund|libras|sterline",
    "CHF": "chf|sfr|franken|francs|franchi",
    "JPY": "¥|jpy|yen|円",
    "CNY": "cny|rmb|yuan|元",
    "INR": "₹|inr|rupees?|rs",
    "BRL": r"r\$|brl|reais",
    "MXN": "mxn|pesos?",
    "PLN": "pln|zł|złotych|zlotych|zloty",
    "SEK": "sek|kronor",
    "NOK": "nok|kroner",
    "DKK": "dkk",
    "KR": "kr",
    "CAD": r"cad|c\$|ca\$",
    "AUD": r"aud|au?\$",
    "RUB": "₽|rub",
    "TRY": "₺|tl",
    "UAH": "₴|uah",
    "KRW": "₩|krw",
    "ILS": "₪|ils",
    "OTHER": "฿|₫|₦",
    "CENT": "¢|cents?|centimes?|centimos?|pence|ct",
}

#: Minutes of each unit; what is no multiple of a minute counts by itself.
UNITS = {
    "60": "hours?|hrs?|stunden?|std|heures?|horas?|ore|ora|uren|uur|h",
    "1": "minutes?|mins?|minuten|minute|minutos?|minut[io]|minuut",
    "working": (
        "(?:working|business|bank|week)[ -]?days?|(?:bank)?arbeitstage?n?|werktage?n?|jours? "
        "(?:ouvres?|ouvrables?)|dias? (?:laborables?|habiles?|uteis|util)|giorn[oi] "
        "(?:lavorativ|feriali?)[oi]?|werkdagen|werkdag"
    ),
    "1440": "days?|tage?n?|jours?|dias?|giorn[oi]|dagen|dag|dni",
    "10080": "weeks?|wochen?|semaines?|semanas?|settiman[ae]|weken",
    "month": "months?|monate?n?|mois|mes|meses|mes[ei]|maand(?:en)?",
    "year": "years?|jahre?n?|ans|annees?|anos?|ann[oi]|jaar|jaren",
    "second": "seconds|sekunden|secondes|segundos|secondi|seconden",
}

#: Times that need no number, by what they mean.
RELATIVE = {
    "tomorrow": (
        r"tomorrow|(?<!guten )(?<!am )(?<!jeden )(?<!heute )(?<!gestern )(?<!goede )morgen(?!s)"
        r"|demain|(?<!por la )(?<!de la )(?<!esta )(?<!cada )manana|domani|amanha|jutro|明日|明天"
    ),
    "tonight": (
        r"tonight|this evening|heute abend|heute nacht|ce soir|esta noche|stasera|stanotte"
        r"|vanavond|hoje a noite|今晩|今晚"
    ),
    "this afternoon": (
        r"this afternoon|heute nachmittag|cet apres-midi|esta tarde|vanmiddag|questo pomeriggio"
    ),
    "next week": (
        r"next week|nachste[nr]? woche|kommende[nr]? woche|la semaine prochaine|proxima semana"
        r"|semana que viene|prossima settimana|volgende week|semana que vem|来週|下周"
    ),
    "next month": r"next month|nachsten monat|le mois prochain|proximo mes|mese prossimo",
    "end of the day": (
        r"end of (?:the |this )?(?:business )?day|close of business|\beod\b|ende des tages"
        r"|fin de (?:la )?journee|final(?:es)? del dia|fine giornata|fim do dia|eind van de dag"
    ),
    "end of the week": (
        r"end of (?:the |this )?week|ende der woche|fin de (?:la )?semaine|final de (?:la )?semana"
        r"|fim da semana|eind van de week"
    ),
    "weekend": r"weekends?|wochenende|week-end|fin de semana|fine settimana|fim de semana",
    "today": r"today|heute|aujourd'hui|\bhoy\b|\boggi\b|vandaag|\bhoje\b|dzisiaj|今日|今天",
    "at once": (
        r"immediately|right away|straight away|right now|at once|instantly|(?:with)?in no time"
        r"|sofort|unverzuglich|immediatement|tout de suite|sur-le-champ|inmediatamente"
        r"|de inmediato|ahora mismo|immediatamente|subito|onmiddellijk|meteen|imediatamente"
        r"|natychmiast|す[ぐく]に|立即|马上"
    ),
}
#: These are ordinary words; they set a deadline only where something is announced.
ONLY_ANNOUNCED = frozenset({"today", "at once", "weekend"})
ANNOUNCED = re.compile(
    r"\b(?:will|shall|going to|can|able to|we're|we are|i'm|'ll|we (?:send|clean|fix|bring|come"
    r"|call|give|move|repair)|wir (?!haben|sind|waren|wurden)\w+en|ich (?!habe|bin|war)\w+e"
    r"|nous (?!avons|sommes)\w+ons|werden|wird|werde|konnen|kann"
    r"|allons|vais|sera|serez|serons|pouvons|pourrons|\w+(?:erons|irons|drons)|vamos|voy|va a"
    r"|podemos|puedo|\w+(?:aremos|eremos|iremos)|zullen|zal|gaan|kunnen|potremo|possiamo"
    r"|vou|vai|sara|verra|zostanie)\b|'ll\b|させていた|します|将|会"
)


def joined(pattern: str) -> str:
    """One pattern from several lines; a space where a line begins or ends is escaped."""
    return re.sub(r"\s*\n\s*", "", pattern).replace("\\ ", " ")


def either(words: Iterable[str]) -> str:
    """A pattern for any of the words, longest first."""
    return "|".join(sorted(words, key=len, reverse=True))


_WORD = f"(?:{either(NUMBERS)})"
_LINK = "(?:[ -]?(?:and |und |et |y |e |en )?|und|en)"
#: A number in digits with its separators, or in words; bounded, so that matching is linear.
DIGITS = (
    r"(?:\d{1,3}(?:[ .,']\d{3}){1,4}(?!\d)(?:[.,]\d{1,2}(?!\d))?"
    r"|\d{1,15}(?:[.,]\d{1,2}(?!\d))?)"
)
NUMBER = rf"(?:{DIGITS}(?: ?k\b)?(?:[.,]--?)?|{_WORD}(?:{_LINK}{_WORD}){{0,6}})"
#: Before a number that stands alone, and between the two numbers of a range. Languages that write
#: without spaces have letters before it; Latin ones make it part of a name, such as A4.
START = r"(?<![a-z\d])(?<!\d[.,])"
RANGE = r" ?(?:-|to|bis|a|and|or|und|oder|et|ou|y|o|e|en|tot|through) ?"
_ONE_WORD = re.compile(_WORD)


def number_of(text: str) -> str:
    """The value of what ``NUMBER`` found, such as ``1500`` or ``12.5``; other text as it is."""
    plain = text.strip().removesuffix("-").removesuffix("-").rstrip(".,")
    if not plain[:1].isdigit():
        return str(_count(plain)) if _ONE_WORD.search(plain) else plain
    thousand = plain.endswith("k")
    plain = plain.removesuffix("k").strip()
    whole, fraction = re.sub(r"[ ']", "", plain), ""
    if found := re.fullmatch(r"(.*)[.,](\d{1,2})", whole):
        whole, fraction = found[1], found[2]
    try:
        value = Decimal(re.sub(r"[.,]", "", whole) + "." + (fraction or "0"))
    except InvalidOperation:
        return text
    value = value * 1000 if thousand else value
    return format(value.normalize(), "f")


def _count(words: str) -> int:
    total = current = 0
    for word in _ONE_WORD.findall(words):
        number = NUMBERS[word]
        if number == 1000:
            total, current = total + max(1, current) * 1000, 0
        elif number == 100:
            current = max(1, current) * 100
        else:
            current += number
    return total + current
