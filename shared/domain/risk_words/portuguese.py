"""Portuguese."""

from __future__ import annotations

from typing import Any

PARTS = {
    "person": r"(pessoa|humano|responsavel|gerente|alguem|operador|assistente|funcionari|atendente"
    r"|supervisor|colaborador|encarregado)",
}

WORDS: dict[Any, str] = {
    "safety": r"""
        (fuga|cheiro) (de|a) (gas|queimado)|cheira a (gas|queimado)|faisca|pegou fogo|em chamas
        incendio|(ha|muito|sai) fumo|fumaca|(da|dao|levei|apanhei|leva) (um )?choques?\b
        choque eletric|ferid(o|a)s?\b|magoou|(no|para o|ao) hospital\b|urgencias|ambulancia
        bombeiros|intoxica(d|c)|envenena|vomit|reacao alergica|sufoc|engasg|afog(ou|ad|ar|ando)
        (pedacos?|cacos?) de vidro|vidro n[oa]|desmai|sangr|suicid|acabar com a vida
        nao quero viver|escorreg|(caiu|cai) (da|do|na|no|de)\b|monoxido|inchad|respira(r)? mal
        nao (consegue )?respira|engoliu|perigos|perigo\b|(ao|o) medico\b|queimadura
        quase (se afog|cai|morr)|tontur|pres\w+ no elevador|fios … (soltos|pendur|descarn)
        dor(es)?\b|doi.me|colicas|febre\b|nause|dente partido|part\w+ um dente|caiu (em cima|sobre)
        pode cair|esmag|desab|agua a ferver
    """,
    "legal": r"""
        advogad|tribunal|processar|processo judicial|acao judicial|vias? (legais|judicia)
        queixa.crime|livro de reclamacoes|defesa do consumidor|deco\b|anacom\b|procon\b
        indemnizacao|asae\b|discrimin|autoridades?\b|regulador\b|banco de portugal
    """,
    "fraud": r"""
        fraude|burla(s|o|do)?\b|roubad|roubaram|roubo\b|furtad|furtaram|clonaram|clonad|hackead
        phishing|nao fui eu|falsificad|alguem (usou|entrou|acedeu|abriu|esta a usar)|policia
        (nao|nunca) (reconheco|autorizei|efetuei|assinei)|nunca (assinei|comprei)
        perdi (o |a )?(meu |minha )?(cartao|carteira|telemovel|celular)
        (pagamento|transferencia|debito|compra)s? … (desconhec|nao fiz)
        nunca (assinei|contratei|subscrevi)|assalt|levaram (o|a|os|as)\b|us(a|ar|ou) os meus dados
        palavra.passe … (mud|alter)|(mud|alter)\w+ … palavra.passe
        (meti|inseri|dei|introduzi) … (pin|codigo|dados)
    """,
    "privacy": r"""
        rgpd|lgpd\b|dados pessoais|protecao de dados|minha privacidade|camara escondida
        fuga de dados|(fatura|nome|morada|dados|endereco) de outr[oa]|(apag|elimin)\w+ … meus dados
        (deram|venderam|partilharam|passaram) (os meus|o meu|a minha)|sobre mim\b
    """,
    "media": r"""
        jornalista|(ao|um|do|no|num) jornal\b|imprensa|redacao\b|reportagem|tornar publico|blogueir
        redes sociais|meu canal|seguidores|viral\b|video … (visualizacoes|tiktok|youtube)
    """,
    "harassment": r"""
        assedi(o|ou|a)|ameac|insult|racis|sexis|sexual|agredi|apalp|perseguiu|empurr
        (tocou|seguiu).me|chamou.me|gritou comigo
    """,
    "human": r"""
        (falar|conversar|tratar … |contacto) ?com (\w+ ){0,2}<person>|(ligu|telefon)(em|e).me
        me (ligue|liguem|telefone|telefonem)|pode ligar|alguem … (ligue|telefone)
        pessoa (de verdade|real|humana)|(nao|sem) (com |ser )?uma? (robo|maquina|bot)
        atendimento humano|que (alguem|me) (me )?(contact|lig|telefon)|contact(em|e).me
    """,
}
