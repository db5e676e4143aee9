"""Italian."""

from __future__ import annotations

from typing import Any

PARTS = {
    "person": r"(operator|persona|responsabil|qualcuno|direttor|consulente|umano|titolare|addetto"
    r"|essere)",
    "purse": r"(la |il )?(mia |mio )?(carta|portafoglio|telefono|cellulare)",
}

WORDS: dict[Any, str] = {
    "safety": r"""
        (fuga|odore|puzza) di (gas|bruciato)|scintill|(prende|preso) fuoco|andat\w+ a fuoco
        incendio|(c.e|esce|molto) (del )?fumo|(scossa|scarica) elettrica
        (da|preso|dato) (la |una )?scossa|ferit(o|a|i)\b|fatt[oa] male|(in |all.)ospedale
        pronto soccorso|ambulanza|pompieri|intossica|avvelena|vomit|reazione allergica|soffoc
        annega|pezz(o|i) di vetro|vetro nel|svenut|sangu(e|ina)|suicid|farla finita
        togliermi la vita|monossido|scivolat(o|a)|e cadut(o|a)\b|sono cadut(o|a)\b
        gonfi(a|o|e|ato|ata)\b|respira male|non respira|ingoiat|ingerit|pericolos|dal medico
        il medico\b|ustion|per poco non|capogir|bloccat\w+ … ascensore|cavi … (scoperti|pend)
        dolor(e|i)\b|fa (molto )?male|crampi|febbre|nausea|(rotto|scheggiato) un dente
        punti di sutura|(cadut\w|cade) (addosso|su)|puo cadere|schiacci|crollat|ribaltat
        acqua bollente
    """,
    "legal": r"""
        avvocat|(mio|nostro|un) legale\b|vie legali|azion\w legal|querela|denunci|giudice|tribunale
        in giudizio|associazione (dei )?consumatori|garante\b|agcom\b|consob\b|risarcimento|diffida
        asl\b|discrimin|far\w+ causa|autorita\b
    """,
    "fraud": r"""
        truff(a|e|ato|ata|atori)|frod(e|i)\b|rubat|furto|clonat(o|a)|hackerat|phishing|falsificat
        non autorizzat|non (riconosco|ho (autorizzato|effettuato|firmato))
        mai (autorizzato|firmato)|a mio nome
        (qualcuno|uno sconosciuto) (e entrato|sta usando|ha (usato|cambiato|ordinato))
        non sono stat[oa] io|(perso|smarrit[oa]) <purse>|<purse> … (smarrit|sparit)|polizia
        carabinieri|(addebit|pagament|bonific)\w+ … (sconosciut|mai fatt|non ho fatto)
        mai (sottoscritto|firmato|autorizzato|richiesto)|usa i miei|cambiat\w … password
        password … cambiat|(inserito|dato) … (pin|codice|dati)|soldi … sparit
    """,
    "privacy": r"""
        gdpr|dati personali|protezione dei dati|(mia|della) privacy|viola\w+ … privacy
        (fattura|nome|indirizzo|dati|estratto|ordine) … (di|del) (un )?altr[oa]
        (cancell|elimin)\w+ … (miei|mie) dati|fuga di dati|telecamera nascosta
        (dato|venduto|passato) (i miei|il mio) (dati|indirizzo|numero)|su di me\b
    """,
    "media": r"""
        giornalist|(al|un|del|sul) giornale\b|(la|alla|della) stampa\b|redazione\b|sui social\b
        rendere pubblic|mio (canale|blog)|follower|blogger|video … (visualizzazioni|tiktok|youtube)
    """,
    "harassment": r"""
        molest(a|ia|ie|ato|ata)|minacc|insult|razzis|sessis|sessual|aggredi|palpeggi
        proposte (pesanti|oscene)|mi ha (toccat|seguit|spint|schiaffegg)
        mi ha (chiamat|dato (del|della)|urlato)|stranier
    """,
    "human": r"""
        (parlare|parli|contatto|discutere) con (\w+ ){0,2}<person>
        (richiam|chiam)(atemi|ami|armi)\b|mi (chiami|richiami|chiamate)|persona (vera|reale)
        operatore (umano|reale)|non (con )?una? (robot|macchina|bot)
        (datemi|passatemi) (qualcuno|un)|qualcuno (che )?mi (chiam|richiam|telefon)
        mi contatt(i|asse|ate)|contattatemi|vorrei essere (richiamat|contattat)
    """,
}
