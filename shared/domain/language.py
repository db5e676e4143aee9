"""Which language a text is in, as far as that is certain: by script, then by its small words."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from shared.domain.plain_text import clean_text, fold_text

_SAMPLE_CHARS = 4000

# Frequent small words, folded. A word in several lists counts less in each.
_WORDS = {
    "en": """a the and you your is are was were we our it of to for that this with have has not my
        i be will on in at from can please thank thanks hello hi do what how when
        there would been me but an so if or any all about which they by as no get want
        need why where help does did i'm i've don't room card money account order bill
        payment transfer still out up more someone very too she he them us just like
        back make had her his here its than then am try trying ya see off""",
    "de": """der die das und ist sind war ich sie wir nicht ein eine einen einem einer mit fur auf
        zu ihr ihre ihren ihrem mein meine meinen meiner habe haben hat wird werden
        danke bitte von dem den im in es auch noch aber sehr wie was wo uns vielen
        guten hallo bei nach aus kein keine an am um tut leid wurde kann als dass wann
        gibt seit immer will mochte schon zimmer karte konto geld rechnung fruhstuck
        bestellung uberweisung warum jemand ihnen unser heute unsere unserer wenn haus
        nichts niemand zwei jetzt hier""",
    "fr": """le la les des et est sont je vous nous il ne pas un une de du que qui pour dans sur
        avec mon ma mes votre vos notre nos merci bonjour au aux ce cette c'est j'ai
        suis avez avons etait tres bien plus mais ou par en ete fait comment pourquoi
        n'est qu'il d'un sommes chambre carte compte argent facture commande sale veux
        voudrais parler quelqu'un n'ai toujours marche beaucoup n'a quand encore petit
        sera desole depuis rien personne deux maintenant ici peut peux aujourd'hui
        jamais""",
    "es": """el la los las y es son yo usted nosotros no un una de del que para por con mi mis su
        sus gracias hola en se lo le me ha he han muy pero mas esta este estoy fue
        como cuando porque al ya si nuestro nuestra hemos tengo puedo donde nos
        sentimos quiero hablar habitacion tarjeta cuenta dinero factura pedido todo
        todavia recibido estaba funciona necesito desayuno muchas alguien mucho buenos
        dias hasta otra otro pueden hay sin tiene tienen vez dos nadie nada ahora hoy
        esperando aqui""",
    "it": """il lo la gli le e sono io non un una di della che per con mi mio mia suo sua vi ci
        grazie ciao buongiorno in si ha ho abbiamo molto ma piu questo questa era come
        quando perche al alla dei nostro nostra anche nel nella vostro vostra siamo
        camera carta conto soldi fattura ordine vorrei voglio parlare ricevuto tutto
        mille ancora funziona colazione qualcuno sporca da due dopo nessuno niente
        dove posso puo ora oggi sera adesso quattro troppo anni""",
    "nl": """de het een en is zijn ik u wij we niet van voor met op te dat die mijn uw ons onze heb
        hebben heeft dank bedankt hallo goed maar ook nog naar bij er aan als wat hoe
        waar geen wordt worden was kan je jij ben deze dit graag zeer hij om in wil
        kamer kaart rekening geld bestelling ontvangen iemand werkt hartelijk spreken
        wanneer ontbijt steeds sinds nu niemand niets vandaag onder tussen twee heel
        al hebt gehad zou moet""",
    "pt": """o os as e sao eu voce nos nao um uma de do da dos das que para por com meu minha seu
        sua obrigado obrigada ola bom em se foi tem tenho muito mas mais este esta
        como quando porque ao na no ja nosso nossa temos pelo pela esse isso estou
        quero falar quarto cartao conta dinheiro fatura pedido tudo recebi ainda
        estava funciona preciso alguem cafe ate outra outro podem pode sem depois hoje
        agora ninguem nada duas aqui ele ela eles""",
    "pl": """i w na z nie to jest sie ze do jak ale moj moja moje pan pani panstwo dziekuje
        dziekujemy prosze dzien dobry czy mam dla za od po byl byla bylo juz nasz
        nasza jestem bardzo o przez tak ktory panstwa chce rozmawiac pokoj karta karty
        konto pieniadze rachunek zamowienie dostalem jeszcze ktos dziala kiedy
        sniadanie mojej""",
}  # fmt: skip
_SPOKEN = {
    code: frozenset(fold_text(words.replace("\n", " ")).split()) for code, words in _WORDS.items()
}
_SHARED = Counter(word for words in _SPOKEN.values() for word in words)

#: What the languages are called, in English and in themselves; folded.
_NAMES = {
    "en": ("english", "englisch", "anglais", "ingles", "inglese", "engels"),
    "de": ("german", "deutsch", "allemand", "aleman", "tedesco", "duits"),
    "fr": ("french", "franzosisch", "francais", "frances", "francese", "frans"),
    "es": ("spanish", "spanisch", "espagnol", "espanol", "castellano", "spagnolo", "spaans"),
    "it": ("italian", "italienisch", "italien", "italiano", "italiaans"),
    "nl": ("dutch", "niederlandisch", "neerlandais", "nederlands"),
    "pt": ("portuguese", "portugiesisch", "portugais", "portugues"),
    "pl": ("polish", "polnisch", "polonais", "polaco", "polski", "polsku"),
    "ja": ("japanese", "japanisch", "japonais", "japones", "日本語"),
    "zh": ("chinese", "mandarin", "chinesisch", "chinois", "chino", "中文", "汉语"),
}

_SCRIPTS = {
    "Latn": re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
    "Grek": re.compile("[\u0370-\u03ff]"),
    "Cyrl": re.compile("[\u0400-\u052f]"),
    "Hebr": re.compile("[\u0590-\u05ff]"),
    "Arab": re.compile("[\u0600-\u06ff\u0750-\u077f]"),
    "Deva": re.compile("[\u0900-\u097f]"),
    "Beng": re.compile("[\u0980-\u09ff]"),
    "Taml": re.compile("[\u0b80-\u0bff]"),
    "Thai": re.compile("[\u0e00-\u0e7f]"),
    "Kore": re.compile("[\u1100-\u11ff\uac00-\ud7af]"),
    "Kana": re.compile("[\u3040-\u30ff]"),
    "Hani": re.compile("[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]"),
}
_BY_SCRIPT = {"Kana": "ja", "Hani": "zh"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What is certain about a text's language.

    Attributes:
        code: ISO 639-1, or None where that is open.
        script: ISO 15924 code of the script of most of its letters, or None.
        letters: How many letters were looked at.
        known_words: How many words of any known language there are, for Latin script.
    """

    code: str | None
    script: str | None
    letters: int
    known_words: int = 0


def read_language(text: str) -> Reading:
    """Looks at the beginning of the text."""
    sample = clean_text(text[:_SAMPLE_CHARS])
    scripts = Counter({name: len(every.findall(sample)) for name, every in _SCRIPTS.items()})
    letters = scripts.total()
    if not letters:
        return Reading(None, None, 0)
    # Japanese mixes kana and Han; a tenth of kana is not Chinese any more.
    if scripts["Kana"] * 10 >= scripts["Kana"] + scripts["Hani"]:
        scripts["Kana"] += scripts.pop("Hani")
    script, count = scripts.most_common(1)[0]
    if count * 10 < letters * 6:
        return Reading(None, None, letters)
    if script != "Latn":
        return Reading(_BY_SCRIPT.get(script), script, letters)
    code, known_words = _by_words(sample)
    return Reading(code, script, letters, known_words)


def differing(message: str, reply: str) -> tuple[str, str] | None:
    """The languages of message and reply when they certainly differ, else None.

    A message that names the reply's language ("please answer in German") may ask for it.
    """
    asked, given = read_language(message), read_language(reply)
    if asked.script is None or given.script is None or given.letters < 12:
        return None
    if given.code and any(name in fold_text(message[:4000]) for name in _NAMES[given.code]):
        return None
    if asked.code and given.code:
        return None if asked.code == given.code else (asked.code, given.code)
    if asked.script == given.script or asked.letters < 6:
        return None
    return asked.code or asked.script, given.code or given.script


def _by_words(sample: str) -> tuple[str | None, int]:
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?+", fold_text(sample))
    scores = dict.fromkeys(_SPOKEN, 0.0)
    known = 0
    for word in words:
        if word in _SHARED:
            known += 1
            for code, spoken in _SPOKEN.items():
                if word in spoken:
                    scores[code] += 1 / _SHARED[word] ** 2
    (best, most), (_, second) = sorted(scores.items(), key=lambda item: -item[1])[:2]
    certain = most >= (1 if len(words) <= 8 else 2) and most >= 1.8 * second
    return (best if certain else None), known
