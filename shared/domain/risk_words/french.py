"""French."""

from __future__ import annotations

from typing import Any

PARTS = {
    "person": r"(personne|humain|conseill|responsable|quelqu|directeur|directrice|gerant|patron"
    r"|employe|agent)",
}

WORDS: dict[Any, str] = {
    "safety": r"""
        (fuite|odeur) de (gaz|brule)|sent le (gaz|brule)|incendie|(prend|pris) feu\b|en feu\b
        (de la|beaucoup de|une) fumee|etincelle|decharge electrique|electrocut|hospitalis|ambulance
        bless(e|ee|es|ure)\b|(a l.|aux )(hopital|urgences)|pompiers|intoxi(cation|que)|empoisonn
        vomi(s|t|ssent|r)?\b|(reaction|choc) allergique|etouff|noy(e|er|ade)\b|avale\b
        du verre dans|morceaux? de verre|monoxyde|evanoui|saigne
        gonfl(e|ee|ent)\b … (levre|gorge|visage|langue)|(levre|gorge|visage|langue)s? … gonfl
        respire(r)? (mal|plus)|du mal a respirer|me suicider|suicid|en finir\b|plus envie de vivre
        me tuer\b|brulure|brulee?\b … (main|bras|jambe)|dangereu|(le|un|chez le) medecin\b
        est tombee?\b|failli (tomber|mourir|se)|malaise\b|(coince|bloque)\w* … ascenseur
        cables? … (pend|arrach|denud)|douleur|mal au (ventre|coeur)|crampes|nausee|fievre
        points de suture|dent cassee|casse une dent|tombe(r|e)? sur|risque de tomber|s.ecroul
        (failli|manque) … (ecras|tu)|renverse\w* sur|eau bouillante|chute\b
    """,
    "legal": r"""
        avocat\b|(porter|depos\w+) plainte|plainte (au|aupres|a la)|tribunal|en justice|huissier
        mise en demeure|mediateur|dgccrf|repression des fraudes|association de consommateurs
        discrimin|dommages et interets|services d.hygiene|defenseur des droits|autorites?\b|arcep\b
        poursuivre|poursuites
    """,
    "fraud": r"""
        fraud|arnaqu|escroqu|hamec?onnage|phishing|vole(e|s|r)?\b|pirat(e|er|age)\b|usurp|contrefa
        pas (autorise|effectue)|n.ai (pas|jamais) (souscrit|signe)|ne reconnais pas|a mon insu
        non autorise|pas moi\b|perdu (ma|mon|la|le) (carte|portefeuille|portable|telephone)
        (virement|prelevement|paiement|debit)s? … (connais|inconnu|jamais|pas fait)
        quelqu.un (a|est|utilise) … (mon|ma|compte|connect)|police\b|faux (mail|site|message)
        jamais (souscrit|signe|commande|autorise)|utilise (mes|mon|ma)|mot de passe … change
        chang\w+ … mot de passe|(saisi|donne|entre) … (code|mot de passe|coordonnees)
    """,
    "privacy": r"""
        rgpd|donnees (personnelles|que vous)|protection des donnees|vie privee|cnil\b
        (facture|nom|adresse|donnees|releve|colis|bon) d.une? autre (client|personne|hote)
        camera cachee|filme(e|s)?\b … (insu|chambre|douche)|fuite de donnees
        (supprim|effac)\w+ … (mes|mon) (donnees|compte)
        (transmis|donne|vendu|communique) (mes|mon) (adresse|donnees|numero)|sur moi\b
    """,
    "media": r"""
        journaliste|la presse\b|journal (local|televise)|redaction\b|rendre public|reseaux sociaux
        blogueu|(publi|post|partag|diffus)\w* … (twitter|facebook|tiktok|instagram|youtube|chaine)
        ma chaine|mes abonnes|(video|vues) … (vues|tiktok|youtube)
    """,
    "harassment": r"""
        harcel|agress(e|ion|eur|if)|menac(e|er|ant)\b|insult|racis|sexis|sexuel|attouchement|injuri
        m.a (touche|suivie?|pousse|frappe)|traitee? d(e|.)|sale etrang
    """,
    "human": r"""
        (parler|discuter|echanger) (a|avec|au) (\w+ ){0,2}<person>|rappelez|appelez.moi
        (me|nous) (rappeler|telephoner|rappelle)|etre rappele
        vrai(e)? (personne|conseill|humain|interlocut)|donnez.moi (quelqu|une? (conseill|personne))
        pas (a |avec )?une? (robot|machine)|joindre (un|une|quelqu)|une? conseill(er|ere) (au|en)
        que (quelqu.un|on) (me|m.)|qu.on me (rappelle|contacte)|me contacte
    """,
}
