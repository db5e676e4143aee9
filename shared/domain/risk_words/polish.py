"""Polish. It comes folded, with ``ł`` as the only letter that has no accent to lose."""

from __future__ import annotations

from typing import Any

PARTS = {
    "person": r"(cz[lł]owiek|konsultant|osob|pracownik|kierownik|menedzer|prze[lł]ozon|kims|doradc"
    r"|w[lł]asciciel|szef)",
}

WORDS: dict[Any, str] = {
    "safety": r"""
        (ulatnia|wyciek) … gaz|gaz(em)? (czuc|smierdzi)|(czuc|smierdzi) … (gaz|spal|przypal)
        (czujnik\w*|zatru\w+) czad|czadu\b|tlenk?e?k? wegla|pozar|pali sie|ogien\b|p[lł]omieni
        dym(i sie|u|em) |iskr(y|zy)|pora(zi[lł]|zeni) … prad|kopn\w+ … prad|zrani[lł]|wybuch
        zosta[lł]\w* rann|(w|do) szpital|pogotowi|karetk|straz\w* pozarn|zatruci|zatru[lł]|wymiot
        alergi\w+ reakc|reakcj\w+ alergicz|sie dusi|udusi|zad[lł]awi|uton|topi[lł] sie|po[lł]kn
        kawa[lł]\w* szk[lł]a|szk[lł]o w|zemdla|(jest|robi sie|zrobi[lł]o) … s[lł]abo|nieprzytomn
        krwaw|samoboj|nie chce (mi sie )?zyc|z[lł]ama[lł]\w* (reke|noge|nadgarst)|poslizgn|upad[lł]
        spuch|nie moze oddychac|niebezpiecz|lekarz|poparz|oparz|pali mnie|omal nie|zawroty
        (utkn|uwiez)\w+ … wind|bol(i|a|u|e)\b|skurcz|goraczk|mdlosci|zab … z[lł]ama|z[lł]ama\w+ zab
        szw(y|ow)\b|przewroci[lł]|przygn|spad[lł]\w* na|moze spasc|zawali[lł]|wrzat
    """,
    "legal": r"""
        prawnik|prawnicz|adwokat|radc\w prawn|(do|w|przed) sad(u|zie|em)\b|sadow(e|a|y|ego|ej)\b
        drog(a|e) sadow|pozw(e|ac|ie|u)\b|pozew|rzecznik\w*|uokik\b|prokuratur|odszkodowani
        inspekcj|sanepid|dyskrymin|knf\b|uke\b|krok\w* prawn
    """,
    "fraud": r"""
        oszust|oszuka|wy[lł]udz|kradzie|ukrad|skradzion|z[lł]odziej|okradz|w[lł]ama[lł]|zhakowa
        phishing|nie (rozpoznaje|autoryzowa|wykonywa|podpisywa)|podszywa|fa[lł]szyw
        to nie by[lł][ae]m|(zgubi[lł]|straci[lł])\w* (\w+ )?(karte|portfel|telefon)|policj
        ktos (uzy|zalogowa|zamowi|wyp[lł]aci|korzysta)|nieznan\w+ (p[lł]atnosc|przelew|transakcj)
        nigdy nie (podpis|zawiera|zamawia)|uzywa moich|has[lł]o … zmieni|zmieni[lł]\w* … has[lł]o
        poda[lł]\w* … (pin|has[lł]o|kod)
    """,
    "privacy": r"""
        rodo\b|dan(e|ych|ymi) osobow|ochron\w+ danych|(moj\w+|narusz\w+) prywatnos|wyciek\w* danych
        ukryt\w+ kamer|(faktur\w+|dane|adres|nazwisko) (inn|obc|cudz)|usuni\w+ … moich danych
        (przekaza|sprzeda|udostepni)\w* … (moje|moj|moich)\b|o mnie\b
    """,
    "media": r"""
        dziennikar|(w|do|dla) gazet|(do|w) pras(y|ie)\b|redakcj|(w|do|dla) telewizji\b|reportaz
        mediach|do mediow|nag[lł]osni|bloger|wiral|moim (kanale|blogu)|upubliczni
        (film|nagrani)\w* … (wyswietle|tiktok|youtube)
    """,
    "harassment": r"""
        molest|neka(ja|nie|[lł])|groz(i[lł]|i mi|ba|by|ili)|obraz(a|i[lł])|wyzwa[lł]|rasis|seksis
        seksual|napasto|napad[lł]|dotyka[lł]\w* (mnie|ja|jej)|sledzi[lł]\w* mnie|popchn|uderzy[lł]
        nazwa[lł]\w* mnie|krzycza[lł]\w* na mnie
    """,
    "human": r"""
        (rozmow[eya]|porozmawia\w+|po[lł]acz\w*) (\w+ ){0,2}ze? (\w+ ){0,2}<person>
        (skontaktowa\w+|mowic) (\w+ ){0,2}ze? (\w+ ){0,2}<person>
        (prosze|moze|mozecie|niech) … zadzwoni|zadzwoncie|oddzwon
        prosz\w+ o (telefon|kontakt|rozmow)|zyw(y|ym|ego|a) (cz[lł]owiek|osob)
        (nie|zamiast) (z |ze )?(automat|robot|bot|maszyn)|zeby ktos
        ktos … (zadzwoni|oddzwoni|skontakt)|prosze o kontakt
    """,
}
