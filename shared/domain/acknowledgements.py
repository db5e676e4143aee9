"""The safe text that goes out instead of a reply that the guard refused."""

# ruff: noqa: RUF001 - Chinese has a comma of its own
from __future__ import annotations

from shared.domain.desk import Desk

_OURS = {
    "en": "Thank you for your message. It has reached us, and our team will look at it.",
    "de": "Vielen Dank für Ihre Nachricht. Sie ist bei uns angekommen, und unser Team sieht sie "
    "sich an.",
    "fr": "Merci pour votre message. Il nous est bien parvenu, et notre équipe va l'examiner.",
    "es": "Gracias por su mensaje. Lo hemos recibido y nuestro equipo lo revisará.",
    "it": "Grazie per il suo messaggio. Lo abbiamo ricevuto e il nostro team lo esaminerà.",
    "nl": "Hartelijk dank voor uw bericht. We hebben het ontvangen en ons team bekijkt het.",
    "pt": "Obrigado pela sua mensagem. Já a recebemos e a nossa equipa vai analisá-la.",
    "pl": "Dziękujemy za wiadomość. Dotarła do nas i nasz zespół się nią zajmie.",
    "ja": "お問い合わせありがとうございます。内容を受け取りました。担当者が確認いたします。",
    "zh": "感谢您的来信。我们已经收到，工作人员会查看您的留言。",
}


def acknowledgements(desk: Desk) -> dict[str, str]:
    """The texts that may go out instead of a reply, by language: the desk's own before ours."""
    own = {text.language: text.text for text in desk.acknowledgements}
    return own | {language: text for language, text in _OURS.items() if language not in own}


def safe_acknowledgement(desk: Desk, language: str | None) -> str:
    """The text in that language; for an unknown one the desk's first, or English.

    Args:
        desk: The desk that answers.
        language: ISO 639-1, with or without a region; anything else counts as unknown.
    """
    texts = acknowledgements(desk)
    return texts.get((language or "").strip().casefold()[:2]) or next(iter(texts.values()))
