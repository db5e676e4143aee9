"""How a reply may not sound: questions, claims about who wrote it, markup, loops.

Each check yields what is wrong as the words that follow "The reply".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from shared.domain.guard_words import joined
from shared.domain.plain_text import clean_text, excerpt, fold_text

_QUESTION_MARKS = re.compile(
    "[?\xbf\u037e\u055e\u061f\u1367\u1945\u2047-\u2049\u203d\u2cfa\u2cfb\u2e2e\u2e54\ua60f\ua6f7"
    "\ufe16\ufe56\uff1f\U00011143]"
)
# Only where a part of a sentence begins: "as you could" asks nothing.
_ASKS = re.compile(
    joined(r"""(?:^|[.!,;:\n]|\b(?:and|but|also|und|et|y)\b)\ ?(?:
        (?:please |kindly )?(?:could|would|can|will|do|did|have|are|were)(?:n't)? you (?!to\b)
        |(?:may|might|can|could) (?:i|we) (?:ask|have|know|get)\b
        |is there (?:anything|something|any)\b|how (?:can|may|could) (?:i|we)\b|how about\b
        |what (?:is|was|are) (?:your|the (?:order|booking|room|table|card) number)\b
        |(?:which|what) (?:room|table|order|card|account|booking|day|date|time)
        \ (?:is|was|are|do|did)\b
        |(?:please|kindly) (?:also )?(?:provide|send|share|tell|give|confirm|specify|indicate
        |reply with|supply|forward)\b(?! (?:it|this|that) to)
        |(?:please |kindly )?let (?:us|me) know
        \ (?:your|the|which|what|when|where|who|how|whether)\b
        |(?:konnen|konnten|wurden|mochten|haben|sind|waren|wollen|durfen) sie\b
        |(?:darf|durfen|kann|konnen) (?:ich|wir) (?:fragen|wissen|erfahren)\b
        |bitte (?:nennen|teilen|senden|schicken|geben|bestatigen|schreiben) sie\b
        |(?:pourriez|pouvez|avez|souhaitez|voulez|etes)-vous\b|est-ce que?\b|qu'est-ce
        |(?:veuillez|merci de) (?:nous |me )?(?:indiquer|fournir|envoyer|communiquer|preciser
        |donner|confirmer)\b
        |(?:podria|puede|podrias|puedes)(?: usted)? (?:indicar|decir|enviar|confirmar|facilitar
        |darnos|proporcionar|compartir)
        |por favor,? (?:indique|diga|envie|proporcione|facilite|confirme|comparta|digan)
        |(?:potrebbe|puo|potresti) (?:indicar|dir|inviar|confermar|fornir)
        |(?:per favore|la preghiamo di),? (?:indic|dic|invi|conferm|forni)
        |(?:kunt|kan|wilt|heeft) (?:u|je) (?:ons|mij|me)\b
        |(?:poderia|pode) (?:indicar|dizer|enviar|confirmar|informar|fornecer)
        |por favor,? (?:informe|diga-nos|envie))""")
)

_HUMAN = re.compile(
    joined(r"""\b(?:
        (?:i am|i'm|we are|we're)\b[^.!?\n]{0,60} (?:humans?|(?:real|living) (?:person|people))
        |not an? (?:\w+ )?(?:bot|robot|machine|computer)|human being|as a human
        |(?:i am|i'm) (?:not |just |only )?an? (?:\w+ )?(?:employee|customer|guest|bank|hotel|shop
        |restaurant|business|company)|my name is
        |ich bin (?:k?eine? )?(?:kundin|kunde|gast|bank)|kein (?:bot|roboter|computer)
        |(?:bin|sind)(?: \w+){0,2} (?:mensch|menschen)
        |mein name ist|ich heisse|suis (?:une? )?(?:etre )?humaine?|une vraie personne|je m'appelle
        |pas un robot|soy (?:una? )?(?:ser )?human[oa]|una persona real|me llamo|mi nombre es
        |no soy un (?:bot|robot)|sono (?:un )?(?:essere )?uman[oa]|mi chiamo
        |ben een (?:echt )?mens|mijn naam is|sou (?:uma? )?(?:ser )?human[oa]|meu nome e
        )\b|""")
    + fold_text("人間です|我是人")
)
_MACHINE = re.compile(
    joined(r"""\b(?:
        artificial intelligence|(?:large )?language model|ai (?:model|assistant|system)
        |(?:virtual|digital|automated) (?:assistant|agent)|chat ?bots?
        |(?:i am|i'm) (?:just )?a (?:bot|machine|computer|program|model)
        |system (?:message|prompt|instruction)s?|training data|as instructed|customer_message
        |my (?:instructions|programming|training|prompt|guidelines|developers?)|prompt injection
        |(?:the|this|your|ignore) (?:above )?prompt(?= (?:above|says|is|was|i|you)\b|\W?$|[.,;:!])
        |chatgpt|gpt-?\d|openai|anthropic|kunstliche[rn]? intelligenz|sprachmodells?|als ki
        |intelligence artificielle|modele de langage|assistant virtuel|inteligencia artificial
        |modelo de (?:lenguaje|linguagem)|asistente virtual|intelligenza artificiale
        |modello linguistico|assistente virtuale?|taalmodel|kunstmatige intelligentie
        )\b|""")
    + fold_text("人工知能|人工智能|语言模型|言語モデル")
)
#: Only in capitals: "ai" is a word in Italian and a part of French ones.
_MACHINE_CAPITALS = re.compile(r"(?<!['\w])(?:AI|KI|IA|LLM|GPT)(?!\w)|A\.I\.")

_MARKUP = (
    ("a code fence", re.compile(r"```|~~~")),
    ("JSON", re.compile(r"^\s*[{\[]\s*[\"{\[]|\"\w{1,40}\"\s?:\s?[\"\[{\d]|\"\s*[}\]]\s*\Z")),
    ("a placeholder", re.compile(
        r"\{\{|\}\}|\{%|\$\{|\{\w{1,40}\}|<\w[\w ]{0,40}>|\b[xX]{3,}\b|_{3,}|%[sd]\b"
        r"|(?i:\(?insert (?:your |the )?\w+|lorem ipsum)"
    )),
    ("markup", re.compile(
        r"\*\*\S|__\S|^\s{0,3}#{1,6}\s|^\s{0,4}[-*•]\s+\S|</?\w+[^<>]{0,100}>|\]\(\S"
        r"|`\S[^`]{0,80}`|^\s*\|.{0,200}\|\s*$", re.MULTILINE
    )),
    ("a mark of the conversation", re.compile(
        r"<\|\w{1,20}\|>|\[/?INST\]|^\s*(?i:customer|assistant|user|system|agent|reply|answer"
        r"|kunde|client|cliente)\s?:", re.MULTILINE
    )),
)  # fmt: skip
_BRACKETS = re.compile(r"[\[【][^\[\]【】\n]{1,60}[\]】]")
_SENTENCES = re.compile(r"(?<=[.!?])\s+|[。\n]+")
_CLOSING_WORDS = 6
_SAID_CHARS = 6
_LOOP_WORDS, _LOOP_TIMES = 4, 3


def questions(reply: str) -> Iterator[str]:
    """Question marks of any script, and questions or requests for information without one."""
    if mark := _QUESTION_MARKS.search(reply):
        shown = excerpt(reply[max(0, mark.start() - 40) : mark.end()])
        yield f'asks a question: "{shown}"'
    elif asked := _ASKS.search(fold_text(reply)):
        yield f'asks the customer for something: "{excerpt(asked[0].strip(" .,;:!"))}"'


def self_descriptions(reply: str, known: str) -> Iterator[str]:
    """Claims to be human or a machine, unless the business says so itself, in ``known``."""
    folded, business = fold_text(reply), fold_text(known)
    for pattern, wrong in ((_HUMAN, "speaks as a certain person"), (_MACHINE, "speaks of a model")):
        words = (found[0] for found in pattern.finditer(folded) if found[0] not in business)
        if own := next(words, None):
            yield f'{wrong}: "{excerpt(own)}"'
    capitals = _MACHINE_CAPITALS.search(clean_text(reply))
    if capitals and capitals[0] not in known:
        yield f'speaks of a model: "{capitals[0]}"'


def markup(reply: str, known: str) -> Iterator[str]:
    """Formats that no customer should see; brackets in ``known``, as of masked text, may recur."""
    text = clean_text(reply)
    for name, pattern in _MARKUP:
        if found := pattern.search(text):
            yield f'contains {name}: "{excerpt(found[0], 30)}"'
    for found in _BRACKETS.finditer(text):
        if found[0] not in known:
            yield f'contains a placeholder: "{excerpt(found[0], 40)}"'
            break


def loops(reply: str) -> Iterator[str]:
    """A sentence said twice, or a few words said over and over."""
    sentences = [re.sub(r"\W+", " ", s).strip() for s in _SENTENCES.split(fold_text(reply))]
    for sentence, times in Counter(s for s in sentences if len(s) >= _SAID_CHARS).items():
        if times > 1:
            yield f'says a sentence twice: "{excerpt(sentence)}"'
            return
    words = re.findall(r"\w+", fold_text(reply))
    runs = Counter(zip(*(words[i:] for i in range(_LOOP_WORDS)), strict=False))
    for run, times in runs.items():
        if times >= _LOOP_TIMES:
            yield f'repeats itself: "{excerpt(" ".join(run))}"'
            return


def ends(reply: str) -> Iterator[str]:
    """A reply that breaks off: its last line is a sentence without an end."""
    last = reply.strip().rpartition("\n")[2]
    if len(last.split()) > _CLOSING_WORDS and (last[-1].isalnum() or last[-1] in ",;-"):
        yield f'breaks off: "{excerpt(last[-40:])}"'
