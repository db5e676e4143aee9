"""Words that commit a business, by what they commit it to, and words around a mere mention.

English, German, French, Spanish, Italian, Dutch, Portuguese; Polish, Japanese and Chinese without
mentions. All folded, matched from a word's start. What makes a word a mere mention ends just
before it or begins where it ends.
"""

from __future__ import annotations

import re

from shared.domain.guard_words import joined
from shared.domain.plain_text import fold_text

_DONE_EN = (
    "frozen|unfrozen|blocked|unblocked|locked|unlocked|booked|rebooked|reserved|scheduled"
    "|rescheduled|arranged|changed|updated|reset|closed|reopened|processed|issued|moved|removed"
    "|deleted|corrected|fixed|resolved|solved|repaired|shipped|dispatched|ordered|extended"
    "|activated|deactivated|verified|transferred|adjusted|cancel+ed|refunded|credited"
    "|replaced|waived|upgraded|paid|taken care of"
)
_DONE_DE = (
    "gesperrt|entsperrt|gebucht|umgebucht|reserviert|geandert|aktualisiert|zuruckgesetzt|geloscht"
    "|korrigiert|behoben|repariert|versendet|verschickt|bestellt|freigeschaltet|aktiviert"
    "|deaktiviert|uberwiesen|veranlasst|storniert|erstattet|gutgeschrieben|ersetzt"
)

#: Patterns by what a reply would commit the business to.
FAMILIES: dict[str, str] = {
    "a refund": r"""
        refund|reimburs|money ?back|pa(?:y|ys|id|ying)(?: \w+){0,3} back\b
        |(?:give|get|have|return|send|transfer|receive)\w*(?: \w+){0,2} (?:you|your|the|all)
        (?:\ \w+)?\ money\b
        |credit(?:ed|ing)?(?: \w+){0,4} (?:to|towards) (?:your|you|the)\b|credit(?:ed|ing)? your?\b
        |(?:account|store) credit\b|erstatt|ruckerstatt|kostenerstatt|ruckzahl|zuruckzahl
        |zuruckbezahl|zuruckerstatt|geld zuruck|zuruckbekommen|gutschreib|gutgeschrieben
        |zuruckgebucht|ruckvergut|zuruckuberweis|rueckerstatt|rueckzahl|zurueckzahl
        |rembours|recredit|restitu|reembols|devolv\w*(?! la llamada)|devuelv\w*(?! la llamada)
        |devoluc|reintegr|abonar(?:emos|a)?\b|rimbors|riaccredit|terugbeta|geld terug|terugstort
        |estorn|devolver o|devoluca|zwroc|zwrot""",
    "compensation": r"""
        compensat|make (?:it|this|that|things) (?:all )?up to you|make up for|indemni|damages\b
        |goodwill (?:gesture|payment)|gesture of goodwill|entschadig|schadens?ersatz|kulanz
        |wiedergutmach|wieder gut ?mach|ausgleichszahl|dedommag|compens|geste commercial|indemniz
        |risarc|indenniz|vergoed|schadevergoed|tegemoetkom|indeniz|ressarc|rekompens|odszkodow
        """,
    "something free of charge": r"""
        free of (?:charge|cost)
        |(?<!-)(?<!feel )(?<!are )free\b(?!-|\ (?:to|from|time|rooms?|tables?|moment|slots?
        |spaces?|again|when|as|of)\b)|complimentary|on the house
        |(?:without|at no|no) (?:any )?(?:extra |additional |further )?(?:charge|cost|fee)s?\b
        |costs? you nothing|not cost you|kostenlos|kostenfrei|gratis|umsonst\b|unentgeltlich
        |gebuhrenfrei|geht auf(?:s haus| uns)|kostet sie nichts|auf unsere (?:kosten|rechnung)
        |ohne (?:zusatzliche )?(?:kosten|aufpreis|gebuhr|berechnung)|auf kosten des hauses
        |keine (?:zusatzlichen )?kosten|gratuit|offert(?:e|s|es)?\b|offr(?:ir|ons|irons)\b
        |sans frais|aux frais de la maison|sin (?:cargo|coste|costo)|(?:invita|cortesia de) la casa
        |por cuenta de la casa|senza (?:costi|spese|supplemento|addebit)|omaggio
        |offert[oaie] dalla casa|kosteloos|zonder (?:extra )?kosten|van het huis
        |sem (?:custo|encargo|taxa)|(?:cortesia|conta) da casa|za darmo|bezplatn""",
    "a discount": r"""
        discount|rebate|(?:percent|prozent) +off\b|half[- ]price|half off\b|price reduction
        |(?:reduced|lower|cheaper|special) (?:price|rate)|rabatt|preisnachlass|nachlass\b|ermassig
        |vergunstig|remise\b(?! en)|rabais|reduction|descuento|rebaja|bonificac|scont[oiae]\b
        |riduzione|korting|descont|abatimento|znizk|rabat""",
    "a voucher": r"""
        voucher|coupon|gift ?card|gift certificate|promo(?:tion)?(?:al)? code
        |(?:bonus|loyalty|reward) points|gutschein|bonuspunkt|treuepunkt|geschenkkarte
        |bon d'achat|bon de reduction|cheque-?cadeau|carte-?cadeau|points de fidelite
        |vale (?:de|por)\b|cupon|bono\b|tarjetas? regalo|buono (?:sconto|regalo|acquisto|di)\b
        |tegoedbon|waardebon|cadeaubon|kortingsbon|vale[- ](?:presente|compra|desconto)|cupom|cupao
        |kupon""",
    "an upgrade": r"""
        upgrad|(?:better|bigger|larger|higher) (?:room|category)|hochstuf|hohere[n]? kategorie
        |bessere[sn]? zimmer|surclass|categorie superieure|(?:habitacion|categoria|quarto) superior
        |mejora de (?:habitacion|categoria)|(?:categoria|camera) superiore""",
    "waiving a charge": r"""
        waiv|(?:not|never|\w{2,6}n't) (?:be )?(?:\w+ )?charged?\b|writ(?:e|ten) off
        |(?:not|no|\w{2,6}n't)(?: \w+){0,2} (?:have|need) to pay|nothing to pay|off your bill
        |(?:remov|drop|delet|cancel)\w* (?:the|this|that|your|any|all) (?:\w+ )?(?:fee|charge|cost)
        |(?:cover|absorb|bear|pay for|take over)\w*(?: \w+){0,3} (?:cost|expense|bill|fee|damage)
        |erlassen\b|erlasst\b|verzichten (?:wir )?auf|nicht (?:berechne|in rechnung)|keine gebuhr
        |kosten (?:fur \w+ )?ubernehm|ubernehmen (?:wir )?(?:die|alle|ihre) kosten
        |exoner|pren(?:d|ons|drons|dre) en charge|a notre charge|a nos frais|condon
        |no (?:se )?le (?:cobra|cargar)|por nuestra cuenta|asumi(?:r|mos|remos) (?:el|los)
        |a nostr[oe] (?:carico|spese)|non (?:vi |le )?addebit|kwijtscheld|op onze kosten
        |niet in rekening|isent|por nossa conta|nao (?:sera )?cobra""",
    "a payment": r"""
        (?:we|i|they|bank|hotel|company|team|manager|restaurant)
        (?:'ll|\ will|\ shall|\ can|\ are\ going\ to)(?:\ \w+){0,2}\ (?:pay|cover)\b
        |you(?:'ll| will| shall| are going to| can)(?: \w+){0,3} (?:get|receive|have|see) (?:it|this
        |that|(?:the|your)\ (?:full\ |whole\ |entire\ )?(?:amount|sum|payment|funds|total|cash))\b
        |you(?:'ll| will| shall) be paid|at our (?:own )?expense|(?:is|are|be|it's) on (?:us|me)\b
        |(?:money|amount|sum|funds)(?: \w+){0,4} (?:will|shall|is going to) be
        |wir (?:be)?zahlen|(?:be)?zahlen wir|wir(?: \w+){0,5} (?:be)?zahlen\b|auszahl
        |(?:bekommen|erhalten|kriegen) sie(?: \w+){0,4} (?:geld|betrag|summe)
        |sie (?:bekommen|erhalten|kriegen)(?: \w+){0,4} (?:geld|betrag|summe)
        |nous (?:vous )?(?:pay|vers|regl)(?:ons|erons)|vous (?:recevrez|toucherez)(?: \w+){0,4}
        \ (?:argent|somme|montant|paiement)|pagaremos|vamos a pagar
        |recibira(?: \w+){0,3} (?:dinero|importe|cantidad|pago)|pagheremo
        |ricevera(?: \w+){0,3} (?:denaro|soldi|importo)|(?:wij|we) (?:zullen )?(?:u )?betal
        |u (?:krijgt|ontvangt)(?: \w+){0,3} (?:geld|bedrag)|vamos pagar
        |recebera(?: \w+){0,3} (?:dinheiro|valor)|zaplacim|wyplac""",
    "a cancellation": r"""
        cancel|annul|stornier|storno|kundig(?:en|t|ung)|gekundigt|resili|anul|disdi|disdett|opzeg
        |opgezegd|odwola""",
    "a guarantee": r"""
        guarant|you(?: \w+){0,2} covered\b|(?:not|\w{2,6}n't) lose|warrant(?:y|ies|ed)?\b
        |promis(?:e|es|ed|ing)?\b|you have (?:my|our) word
        |(?:we|i) (?:can |do |hereby )?(?:assure|swear|vow|pledge|commit)\b|garant|versprech
        |versprich|(?:wir|ich) versicher|versicher(?:e|n) (?:ich|wir) ihnen|zusicher|gewahrleist
        |prome(?:t|ss)|(?:je|nous) vous assur|engageons a|promes|le aseguro|le aseguramos
        |nos comprometemos|(?:le|vi|ti) assicur|ci impegniamo|garand|beloof|belov
        |verzeker (?:u|je)|asseguro|asseguramos|comprometemo|gwarant|obiec|zapewniam
        """,
    "an approval": r"""
        (?:request|refund|claim|complaint|dispute|application|wish|demand)(?: \w+){0,3}
        \ (?:is|was|are|be|been|gets?)\ (?:\w+\ )?(?:approved|granted|accepted|honou?red|fulfilled
        |successful)
        |(?:approv|grant|accept|honou?r|fulfill?|agree to|agreed to)(?:e|ed|es|s|ing)?(?: of)?
        \ (?:your|the|this)\ (?:\w+\ )?(?:request|refund|claim|demand|wish|application|dispute)
        |genehmig|bewillig|stattgegeben|stattgeben|zugestimmt|gewahren wir|wir gewahren
        |approuv|accord(?:e|ons|erons|ee|er)\b|accept(?:ons|ee|e) (?:votre|la) (?:demande|requete)
        |aprob(?:ad|ar|amos|aremos)|concede|concedid|approvat|approvi|accolt[oa]|goedgekeurd
        |goedkeur|toegekend|toekennen|aprov(?:ad|ar|amos)|zatwierdz|przyzna""",
    "a replacement": r"""
        replac|(?:send|give|get|bring|issue|receive)\w*(?: \w+){0,2} (?:a )?new (?:one|card|device
        |item|product|dish|steak|meal|phone)|ersetz|ersatz|austausch|umtausch|remplac|reemplaz|sustitu
        |sostitu|vervang|omruil|substitu|wymien|wymian""",
    "liability": r"""
        liab(?:le|ility|ilities)\b|(?:our|my|the \w+'s) fault|at fault
        |(?:full|legal|complete) (?:responsibility|blame)|haft(?:en|et|bar|ung)\b|unsere schuld
        |unser verschulden|responsabilite|notre faute|responsabilidad|culpa nuestra|nuestra culpa
        |responsabilita|colpa nostra|aansprakelijk|onze schuld|culpa nossa|nossa culpa""",
    "something as done": rf"""
        (?:have|has|'ve|had)(?:\ been)?(?:\ \w+ly|\ already|\ now|\ just|\ also)?\ (?:{_DONE_EN})\b
        |(?:is|are|'s) (?:already )?on (?:his|her|its|their|the) way
        |habe[n]?(?:\ \w+){{1,6}}\ (?:{_DONE_DE})\b|(?:{_DONE_DE}) worden
        |(?:j'ai|avons|a ete|ont ete)(?: \w+){{0,3}} (?:(?:de)?bloque|reserve|modifie|mis a jour
        |reinitialise|supprime|corrige|resolu|repare|expedie|commande|(?:des)?active)[es]{{0,2}}\b
        |(?:he|hemos|ha sido|han sido)(?: \w+){{0,3}} (?:(?:des)?bloquead|reservad|cambiad
        |actualizad|restablecid|eliminad|corregid|resuelt|reparad|(?:des)?activad)
        |(?:ho|abbiamo|stat[oaie])(?: \w+){{0,3}} (?:s?bloccat|prenotat|modificat|aggiornat|risolt
        |riparat|spedit|attivat)|(?:heb|hebben)(?: \w+){{1,5}} (?:ge(?:de)?blokkeerd|geboekt
        |gereserveerd|gewijzigd|opgelost|hersteld|verzonden|besteld|geactiveerd)\b
        |(?:des)?bloque(?:ei|amos)\b|reserv(?:ei|amos)\b|alteramos|atualizamos|resolvemos
        |corrigimos|ativamos|fo(?:i|ram) (?:(?:des)?bloquead|reservad|alterad|resolvid|corrigid)""",
}

#: The same in Japanese and Chinese, where words have no start.
_UNSPACED = {
    "a refund": "返金|払い戻|退款|退还|退钱",
    "compensation": "補償|賠償|弁償|赔偿|补偿|赔付",
    "something free of charge": "無料|免费",
    "a discount": "割引|値引|折扣|打折|优惠",
    "a voucher": "クーポン|商品券|优惠券|代金券|礼品卡",
    "an upgrade": "アップグレード|升级",
    "waiving a charge": "免除",
    "a payment": "お支払いいたし|我们会支付|我们将支付",
    "a cancellation": "キャンセル|取り消|取消",
    "a guarantee": "保証|約束|保证|承诺",
    "an approval": "承認|批准",
    "a replacement": "交換|更换|换新",
    "liability": "責任|责任",
    "something as done": "予約しました|手配しました|已为您",
}

#: Commitments that cost money: a fact allows one only if the reply says nearly what the fact says.
COSTLY = frozenset(
    {
        "a refund",
        "compensation",
        "a discount",
        "a voucher",
        "waiving a charge",
        "a payment",
        "a cancellation",
        "a replacement",
    }
)
#: What customers report as having happened to them; regret about it is no commitment.
REPORTED = frozenset({"a cancellation", "a replacement", "something as done"})

_NOT_US = r"(?: (?!we\b|i\b|our\b|us\b)\w+)"
_BEFORE = rf"""
    \b(?:requests?|requested|requesting|asks?|asked|asking|wish|wishes|questions?|enquiry|inquiry
    |claim|application|concerns?|complaint|matter|message|status|delays?|problems?|issues?|trouble)
    (?:\ \w+)?\ (?:for|about|regarding|concerning|of|with|on)(?:\ \w+){{0,4}}\ $
    |\b(?:request|requested|asked?|asking|wish)(?: us)? to(?: \w+){{0,3}} $
    |\byou(?: \w+){{0,2}} (?:would like|want|wanted|wish|wished|expect|expected|hope|hoped|requested
    |asked|mention|mentioned|demand|need|asking|looking|waiting|hoping|were){_NOT_US}{{0,5}}\ $
    |\byou'd like{_NOT_US}{{0,5}} $
    |\bwhether(?: \w+){{0,8}} $
    |\b(?:check|see|decide|look into|find out|examine|review|clarify|assess|consider|know|say|tell)
    \w{{0,3}}(?:\ \w+){{0,3}}\ if(?:\ \w+){{0,8}}\ $
    |\b(?:can ?not|can't|unable to|not able to|could not|not in a position to)(?: \w+)? (?:promise
    |say|confirm|guarantee|decide|judge|tell|commit)(?:\ \w+){{0,8}}\ $
    |\b(?:decides?|reviews?|considers?|looks? into|looking into)(?: \w+)?
    \ (?:about|on|regarding|over|every|each|all|requests?)(?:\ \w+){{0,6}}\ $
    |\b(?:room|table|one|place|seat|slot|space|colleague|somebody|someone)
    \ (?:is|are|becomes?|gets?)\ $
    |\b(?:anfrage|bitte|wunsch|frage|antrag|anliegen|forderung|nachricht|status|verzogerung|problem)
    (?:\ \w+){{0,2}}\ (?:nach|um|auf|zu|zur|zum|uber|wegen|bezuglich|mit|der|des|ihrer)
    (?:\ \w+){{0,3}}\ $
    |\bob(?: \w+){{0,8}} $|\bsie (?:\w+ ){{0,3}}(?:mochten|wunschen|wollen|erwarten|bitten um
    |warten\ auf|verlangen)(?:\ (?!wir\b|ich\b)\w+){{0,5}}\ $
    |\bentscheidet(?: \w+){{0,3}} uber(?: \w+){{0,5}} $
    |\b(?:demande|question|reclamation|souhait|message|statut|probleme|retard|requete)s?
    (?:\ \w+){{0,2}}\ (?:de|du|des|d|sur|pour|concernant|avec)(?:[ ']\w+){{0,3}}[ ']$
    |\bvous (?:\w+ ){{0,2}}(?:souhaitez|demandez|voulez|attendez|demande|voudriez|desirez)
    (?:\ (?!nous\b|je\b)\w+){{0,5}}[ ']$
    |\b(?:savoir|verifi\w+|voir|determin\w+|decid\w+|examin\w+) (?:s'il|si)(?: \w+){{0,8}} $
    |\bne (?:peux|pouvons|puis)(?: \w+){{0,3}} (?:promettre|garantir|confirmer)(?: \w+){{0,6}}[ ']$
    |\b(?:solicitud|peticion|pregunta|consulta|mensaje|reclamacion|estado|problema|retraso)(?: \w+)?
    \ (?:de|del|sobre|para|con)(?:\ \w+){{0,3}}\ $
    |\b(?:desea|quiere|solicita|pide|espera|solicitado|pedido|solicito|pidio)
    (?:\ (?!nosotros\b|le\b)\w+){{0,5}}\ $
    |\b(?:comprobar|ver|verificar|decidir|decide|revisar|saber|confirmar) si(?: \w+){{0,8}} $
    |\bno (?:puedo|podemos)(?: \w+){{0,2}} (?:prometer|garantizar|confirmar)(?: \w+){{0,6}} $
    |\b(?:richiesta|domanda|messaggio|stato|problema|ritardo)(?: \w+)? (?:di|del|su|sul|per|con)
    (?:\ \w+){{0,3}}\ $|\b(?:desidera|vuole|chiede|aspetta)(?: \w+){{0,5}} $
    |\b(?:verificare|verifica|controllare|vedere|decidere|decide) se(?: \w+){{0,8}} $
    |\bnon (?:posso|possiamo)(?: \w+){{0,2}} (?:promettere|garantire)(?: \w+){{0,6}} $
    |\b(?:verzoek|vraag|bericht|status|probleem|vertraging|klacht)(?: \w+)?
    \ (?:om|over|van|met|naar|voor)(?:\ \w+){{0,3}}\ $
    |\bu (?:wilt|wenst|vraagt|verwacht|wacht op)(?: \w+){{0,5}} $
    |\b(?:nagaan|kijken|beoordeelt|beslist|controleren|weten) of(?: \w+){{0,8}} $
    |\b(?:pedido|solicitacao|pergunta|mensagem|estado|problema|atraso)(?: \w+)?
    \ (?:de|do|da|sobre|para|com)(?:\ \w+){{0,3}}\ $
    |\b(?:deseja|quer|solicita|pede|espera|pediu|solicitou)(?: \w+){{0,5}} $
    |\b(?:verificar|ver|decidir|decide|saber|confirmar) se(?: \w+){{0,8}} $
    |\bnao (?:posso|podemos) (?:prometer|garantir|confirmar)(?: \w+){{0,6}} $"""
_AFTER = r"""
    \w*[ -](?:requests?|questions?|enquir(?:y|ies)|inquir(?:y|ies)|claims?|status|applications?
    |wish|demand|(?:has|have|had|is|was|did|does)(?:n't|\ not|\ still\ not|\ never)\b
    |(?:has|have)\ yet\ to
    |you\ were\ (?:promised|offered|told)\ (?:has|have|did)(?:n't|\ not))
    |\w*(?:wunsch|anfrage|antrag|anliegen|forderung|status)
    |\w*(?: \w+){0,3} nicht (?:\w+ )?(?:angekommen|eingegangen|erhalten|da\b)
    |\w*(?: \w+){0,4} (?:wunschen|mochten|wollen|erwarten|verlangen|bitten)\b
    |\w* (?:n'est|n'a|n'ont) pas|\w* (?:todavia |aun )?no (?:ha|se)\b|\w* non (?:e|ha)\b
    |\w* (?:is )?nog niet|\w* ainda nao"""
_REGRET = r"""
    \b(?:sorry|apologi[sz]e|regret|understand|hear|leid|entschuldig\w*|bedauer\w*|verstehe
    |desole\w*|regrett\w*|comprend\w*|siento|sentimos|lament\w*|entendemos|comprend\w*|dispiace
    |spijt|vervelend|lamento)\b(?P<rest>[^.!?]{0,100})$"""
_COMMITS = r"""
    \b(?:will|shall|can|going\ to|could|would|and|but|so|we|we've|i've|i|here|werden|werde|konnen
    |wir|ich|und|aber|nous|je|et|mais|vamos|hemos|y|pero|abbiamo|ho|e|ma|wij|en|maar|mas)\b|'ll\b"""
_REFUSES_PROMISE = r"""
    \b(?:can ?not|can't|unable to|not able to|could not|konnen|kann|darf|ne (?:peux|pouvons|puis)
    |no (?:puedo|podemos)|non (?:posso|possiamo)|kan|kunnen|nao (?:posso|podemos))
    (?:\ \w+){0,6}\ (?:\w+\ )?$"""


_TO_PROMISE = r"\w*(?: \w+){0,3} (?:versprechen|zusagen|zusichern|garantieren|beloven|toezeggen)\b"


#: What shows that a text speaks of a family.
TRIGGERS = {
    family: re.compile(rf"\b(?:{joined(words)})|{fold_text(_UNSPACED[family])}")
    for family, words in FAMILIES.items()
}
MENTION_BEFORE = re.compile(joined(_BEFORE))
MENTION_AFTER = re.compile(joined(_AFTER))
REGRET = re.compile(joined(_REGRET))
COMMITS = re.compile(joined(_COMMITS))
TO_PROMISE = re.compile(_TO_PROMISE)
REFUSES_PROMISE = re.compile(joined(_REFUSES_PROMISE))
