"""What a text is about, as far as its words show it."""

from __future__ import annotations

import re

from shared.domain.plain_text import fold_text

# Words that say nothing about what a text is about.
_EMPTY = """about after again also another anything because been before being below both call case
    colleague could customer dear details does done each every everything from gladly happy have
    hello help here immediate inconvenience into issue just kind kindly know like look looking make
    matter message more much only other please possible problem question really regards request
    right some soon sorry sure team thank that their them then there these they thing this those
    time today upon very want wanted well what when where which while will with within would write
    writing you've your
    the and for you our are was has had not can may but all any one two out own get let who how why
    its him her his she use now see say yes too off per via did day ago yet i'm i've it's
    approved granted decided dollar dollars euro euros pound pounds cent cents percent
    der die das und ist sie wir ein mit fur auf von den dem des zum zur bei aus nur ihr sein
    auch dass dazu dein eine einen einer gern gerne haben hier ihnen ihre ihren konnen mehr mochten
    nicht noch oder sehr sich sind uber unser unsere werden wird wurde
    les des une est vos nos pas qui que sur par aux bien
    avec cette dans elle etre leur mais nous notre plus pour sans sera sommes tout tres vous votre
    los las una del por con que sus muy mas
    como desde este esta para pero puede quedan sobre sus todo usted
    gli dei che non per con una sua suo
    anche alla con della dopo nella nostro puo questo sono tutto
    het een van aan uit
    deze haar heeft hebben kunnen naar onze voor wordt
    esse isso pelo pode seus tambem voce"""


def word_stems(text: str) -> frozenset[str]:
    """The beginnings of a text's words, so that "cleaned" and "cleaning" are one; folded."""
    words = re.findall(r"[^\W\d_]++(?:-[^\W\d_]++)*+", fold_text(text))
    return frozenset(_stem(word) for word in words if len(word) > 2) - _EMPTY_STEMS


def _stem(word: str) -> str:
    return word.rstrip("s")[:5]


_EMPTY_STEMS = frozenset(_stem(word) for word in _EMPTY.split())
