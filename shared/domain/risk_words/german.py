"""German."""

from __future__ import annotations

from typing import Any

PARTS = {
    "person": r"(mensch(en)?|mitarbeiter(in)?|chef(in)?|manager(in)?|vorgesetzten?|person"
    r"|jemande[mn]|berater(in)?|kolleg(e|en|in)|zustandigen|verantwortlichen|leiter(in)?)",
    "purse": r"(karte|geldborse|handy|portemonnaie|brieftasche)",
}

WORDS: dict[Any, str] = {
    "safety": r"""
        gas ?geruch|gasleck|(riecht|stinkt) … nach gas|(riecht|stinkt) … (verbrannt|verschmort)
        feuer\b|es brennt|in brand\b|funken|rauch (aus|im)|qualm|stromschlag|durchgeschmort
        einen schlag (bekommen|gekriegt)|explodier|kohlenmonoxid|verletz|blutet|bewusstlos|ohnmacht
        (im|ins) krankenhaus|notaufnahme|notarzt|krankenwagen|rettungswagen|feuerwehr
        (zum|beim|einen|der|vom) arzt\b|(lebensmittel)?vergiftung|vergiftet|erbroch|erbrechen
        allergisch(e|en)? (reaktion|schock)|geschwollen|schwillt|keine luft|atemnot|atmet|erstick
        ertrunken|ertrinken|gewurgt|verschluckt|glassplitter|scherben|ausgerutscht|gesturzt
        (kind|sohn|tochter|mutter|vater|mann|frau|er|sie|ich) … (gefallen|hingefallen)\b|verbruht
        verbrannt\w* (die|den|meine|seine|ihre)|schwindlig|ubergeben mussen|umbringen|selbstmord
        nicht mehr leben|suizid|kabel … (hangt|herunter)|hangt … kabel|einsturz|eingesturzt
        zusammengebrochen|(arm|bein|hand|rippe|fuss) … gebrochen|gefahrlich|lebensgefahr
        (beinahe|fast) (ertrunken|erstickt|gesturzt|gefallen)
        (stecken|steckt|festgesteckt) … (aufzug|fahrstuhl)|schmerz|tut (\w+ )?weh\b|krampfe|fieber
        ubel\b|genaht|zahn … (abgebrochen|ausgebrochen)|kochend|verbruh|umgefallen|umgekippt
        herunterge(fallen|sturzt)|(droht|drohen) … fallen|keinen sinn mehr|schluss machen
        (beinahe|fast) (getroffen|erschlagen|verletzt)|dampf (aus|kommt)
    """,
    "legal": r"""
        anwalt|rechtsanwalt|rechtliche schritte|rechtsweg|rechtsschutz|verklag|klage (ein|erheb)
        strafanzeige|anzeige (erstatt|bei)|vor gericht\b|gerichtlich|mahnbescheid|diskriminier
        verbraucher(schutz|zentrale)|schlichtungsstelle|ombuds|bundesnetzagentur|bafin\b
        (aufsichts)?behorde\b|\w*aufsicht\b|gesundheitsamt|ordnungsamt|schadens?ersatz
        wegen (meiner|seiner|ihrer|unserer) (hautfarbe|herkunft|religion|behinderung)
    """,
    "fraud": r"""
        betrug(er|s)?\b(?!( \w+)? ?\d)|betrog|gestohlen|geklaut|diebstahl|gehackt|missbrauch
        phishing|nicht (autorisiert|genehmigt|veranlasst|getatigt|abgeschlossen|von mir)
        das war ich nicht|<purse> … (verloren|verschwunden|weg\b)|(verloren|verlor) … <purse>
        unbefugt|unberechtigt|gefalscht|kenne ich nicht
        unbekannte (abbuchung|buchung|zahlung|uberweisung)
        (jemand|fremde)\w* … (mein|benutzt|verwendet|zugriff|abgehoben|bestellt|eingeloggt)
        reingefallen|polizei|nie … (abgeschlossen|unterschrieben)|uberfallen|passwort … geandert
        (pin|passwort|daten|tan) … (eingegeben|weitergegeben)|nicht von ihnen
    """,
    "privacy": r"""
        dsgvo|datenschutz|datenleck|datenpanne|personenbezogen|meine daten (losch|weiter|verkauft)
        (daten|rechnung|name|adresse|kontoauszug|brief) … (eines|einer|von) (ander|fremd)
        fremde[nrs]? (daten|rechnung|namen?|konto)|versteckte kamera|gefilmt|abgehort|ausspion
        (loschen|loschung) … daten|daten … (loschen|herausgeben|gespeichert)
        meine (adresse|daten|nummer) … (weiter|dritte|verkauft)|uber mich (gespeichert|speicher)
    """,
    "media": r"""
        (die|der|zur) presse\b|(in|an|bei|fur|von) (\w+ ){0,2}\w*zeitung|redaktion|redakteur
        journalist|reporter\b|fernseh(team|sender)|(im|ans) fernsehen … (bring|bericht|zeig)
        veroffentlich|follower|an die offentlichkeit|artikel uber sie|meinem (kanal|blog)|zuschauer
        video … (aufrufe|geteilt|online)|millionen aufrufe
    """,
    "harassment": r"""
        belastig|bedroh|beleidig|rassis|sexis|sexuell|begrapscht|gestalkt|stalking|angegriffen
        geschubst|(mich|sie|ihn|uns) … (geschlagen|angefasst|verfolgt|angeschrien)|anzuglich
        auslanderin?\b|beschimpf|angeschrien
    """,
    "human": r"""
        mit (\w+ ){0,2}<person>\b|(rufen|ruft) (sie )?(mich|uns|bitte)|ruckruf|zuruckrufen
        echten? (mensch|person|mitarbeiter)
        (kein|keine|keinem|statt) (\w+ )?(bot|roboter|maschine|computer)\b
        personlich (sprech|besprech)|jemande[mn] (personlich|sprechen)
        menschlich\w* (ansprech|mitarb|berat)|ansprechpartner|geben sie mir (jemand|einen|eine)
        jemand … (anruf|zuruck|melde)|(mich|uns) … anrufen|mitarbeiter … (anruf|sprech|melde)
        (mich|mir) … kontaktier|kann (mich|mir) … (jemand|mitarbeiter)
    """,
}
