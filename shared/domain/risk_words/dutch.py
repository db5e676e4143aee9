"""Dutch."""

from __future__ import annotations

from typing import Any

PARTS = {
    "person": r"(mens|medewerk|persoon|iemand|manager|chef|leidinggevend|echt|verantwoordelijk"
    r"|eigenaar)",
}

WORDS: dict[Any, str] = {
    "safety": r"""
        gaslek|gaslucht|ruik(t|en)? … (gas|brand)|in brand\b|brand(lucht|t af)|vlammen\b|vonken
        stroomstoot|een (\w+ )?(elektrische )?schok\b|gewond|(in|naar) het ziekenhuis|spoedeisende
        ambulance|brandweer|(voedsel)?vergiftig|overge(ven|geven)|allergische reactie|gestikt
        verdronken|verdrinken|stuk(ken|je|jes)? glas|glas in (de|het|mijn)|bewusteloos
        flauwgevallen|bloedt|zelfmoord|niet meer leven|uitgegleden|gevallen en|is gevallen
        koolmonoxide|rook (uit|in de)|explo(deer|sie)|ingeslikt|doorgeslikt|opgezwollen|opgezet
        benauwd|(de|bij de|een) (dokter|huisarts)\b|gevaarlijk|levensgevaar
        verbrand\b … (hand|arm|been|gezicht)|(bijna|haast) (verdronken|gestikt|gevallen)|duizelig
        (vast|opgesloten) in de lift|pijn\b|krampen|misselijk|koorts|tand … gebroken|gebroken tand
        hechtingen|omgevallen|omvallen|kokend|(gevallen|valt|viel) op|bijna (geraakt|verpletterd)
        ingestort
    """,
    "legal": r"""
        advocaat|jurist|juridisch|rechtszaak|rechtbank
        (naar|voor) de rechter\b(?! (kant|knop|hand))|aanklag|aangifte|dagvaard|ombudsman
        consumentenbond|geschillencommissie|toezichthouder|schadevergoeding|schadeclaim|in gebreke
        discrimin|autoriteit
    """,
    "fraud": r"""
        fraude|oplicht|gestolen|gehackt|phishing|diefstal|vervals|misbruik|gekloond|dat was ik niet
        (niet|nooit) (herken|geautoriseerd|goedgekeurd|getekend)|herken … niet|politie
        (pas|kaart|portemonnee|telefoon) (\w+ )?(kwijt|verloren)
        iemand (heeft|is|gebruikt) … (ingelogd|mijn|overgemaakt|besteld)
        onbekende (betaling|afschrijving|overboeking)|nooit (\w+ )?(afgesloten|getekend)
        gebruikt mijn|wachtwoord … (veranderd|gewijzigd)|pin … ingevoerd|beroofd|overvallen
    """,
    "privacy": r"""
        persoonsgegevens|gegevensbescherming|mijn privacy|datalek|verborgen camera|gdpr
        (gegevens|factuur|naam|adres|rekening) van (een|iemand) (ander|vreemd)|gefilmd
        (verwijder|wis)\w* … mijn gegevens|mijn (adres|gegevens|nummer) … (doorge|verkocht|gedeeld)
        over mij (bewar|op)
    """,
    "media": r"""
        journalist|(naar|in|voor|bij) (de|een) krant\b|de pers\b|redactie
        mijn (volgers|kanaal|blog)|openbaar maken|viraal|op (social|sociale) media
        (filmpje|video) … (bekeken|weergaven|tiktok)
    """,
    "harassment": r"""
        lastiggevallen|lastig gevallen|bedreig|beledig|racis|seksis|seksueel|intimid|betast
        achtervolg|uitgescholden|geduwd|(mij|me|haar) (\w+ )?(aangeraakt|geslagen)|buitenlander
        uitgemaakt voor|noemde (mij|me)
    """,
    "human": r"""
        (spreken|praten|contact|bellen) met (\w+ ){0,2}<person>|bel(t|len)? (u )?(mij|me)\b
        teruggebeld|terugbel|echte? (mens|persoon|medewerker)
        (medewerker|iemand) (aan de (lijn|telefoon)|spreken)|(mens|iemand|manager) spreken\b
        geen (robot|machine|bot|computer)|geef me (iemand|een)|iemand … (bellen|terugbel|belt)
        (dat|of|kan) iemand (mij|me)|contact met mij op
    """,
}
