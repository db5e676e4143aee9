"""Spanish."""

from __future__ import annotations

from typing import Any

PARTS = {
    "person": r"(persona|humano|agente|gerente|responsable|encargad|supervisor|alguien|director"
    r"|operador|representante|asesor)",
}

WORDS: dict[Any, str] = {
    "safety": r"""
        (fuga|olor|huele) (de |a )?(gas|quemado)|incendi(o|ado)|en llamas|prendido|se quema|fuego\b
        (hay|mucho|sale|echa) (\w+ )?humo|chispas|descarga electrica|calambre|electrocut
        herid(o|a|as|os)\b|(en|al) (el )?hospital\b|urgencias|ambulancia|bomberos|intoxica(d|c)
        envenena|vomit|reaccion alergica|ahog(o|a|ad|ar|ando)\b|se ahog|cristal(es)? (en|roto)
        inconsciente|desmay|sangr(a|ando|e)\b|suicid|quitarme la vida|no quiero vivir
        se (cayo|ha caido)|me cai\b|monoxido|hinchad|no puede respirar|respira mal|se trago|peligro
        al medico\b|el medico\b|quemadura|casi se (ahoga|cae|mata)|mareo|mareado|mareada
        atrapad\w+ … ascensor|cables … (sueltos|colgando|pelados)|entre los cables|dolor\b|me duele
        calambres|fiebre|nauseas|(roto|partido) un diente|puntos de sutura|puede caer
        (cayo|caido) (sobre|encima)|aplast|se derrumb|agua hirviendo
    """,
    "legal": r"""
        abogad|demandar(e|los|les|emos|le)?\b|(poner|presentar|interponer) (una )?demanda|denuncia
        tribunal|juzgado|via judicial|acciones legales|oficina del consumidor|hoja de reclamaciones
        proteccion al consumidor|danos y perjuicios|inspeccion de sanidad|ombudsman|discrimin
        autoridad(es)?\b|regulador\b|asociacion de consumidores
    """,
    "fraud": r"""
        fraud|estafa|timo\b|robad(o|a|os)|robo\b|me robaron|hackead|suplanta|falsific|clonad
        phishing|(perdido|perdi) (mi|la|el) (tarjeta|cartera|movil|bolso|telefono)|no fui yo
        no (reconozco|autoric|he (autorizado|realizado|contratado))|nunca (autorice|contrate|firme)
        alguien (ha|esta|entro|uso) … (mi|cuenta|tarjeta)|policia
        (cargo|pago|transferencia|compra)s? … (desconoc|no (hice|he hecho))
        nunca (contrate|firme|autorice|pedi)|us(a|ando) mis (datos|tarjeta)|contrasena … cambi
        cambi\w+ … contrasena|(meti|di|puse|introduje) … (pin|clave|datos)
        dinero … (desaparec|no estaba)
    """,
    "privacy": r"""
        rgpd|datos personales|proteccion de datos|mi privacidad|viola\w+ … privacidad|fuga de datos
        (factura|nombre|direccion|datos|albaran|extracto) … (de|a) (otr[oa]|tercero)
        (borr|elimin)\w+ … mis datos|camara oculta
        (dado|vendido|pasado|compartido) mis? (direccion|datos|numero)|sobre mi\b
    """,
    "media": r"""
        (el|un|al|del) periodico\b|periodista|la prensa|redaccion\b|reportaje|seguidores|mi canal
        redes sociales|bloguer|hacer(lo)? publico|viral\b
        video … (visitas|visualizaciones|tiktok|youtube)
    """,
    "harassment": r"""
        acos(o|ad|ando)\b|amenaz|insult|racis|sexis|sexual|agred|agresion|manose|no es bienvenid
        me (toco|siguio|empujo|pego|grito)\b|extranjer[oa] de|me grito
    """,
    "human": r"""
        (hablar|comunicarme|comuniqueme|contactar) con (\w+ ){0,2}<person>|llam(a|e|en)me
        me llam(e|en)\b|persona (de verdad|real|humana)|agente (humano|real)
        (me atienda|atienda) (una|un|alguna)|no (con )?una? (maquina|robot|bot)
        devuelv\w+ la llamada|deme (a )?alguien|pong\w+me con|alguien (que me|me) (llam|atiend)
        pas(e|en)me con|ponerme con|que (alguien|el (gerente|director)) me|me contacte
    """,
}
