"""Replies that nobody may send, each with what the guard has to notice about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.adapters.desk_files import load_desks
from shared.domain.guard import check_reply

DESKS = load_desks(Path(__file__).resolve().parents[2] / "desks")

DIRTY = "My room is dirty and I want a refund of 200 dollars."
RAW = "My steak is raw, I want my money back."
CARD = "My card has not arrived and I was charged 5 dollars."

BAD = [
    # what a small model wrote
    ("bank", CARD, "I'm not a bank, but I can help you with your account.", "self-description"),
    ("bank", CARD, "I'm just a customer. I look into it.", "self-description"),
    ("bank", CARD, "I'm sorry. I'm sorry. Thank you.", "repetition"),
    ("bank", CARD, "I have passed it on to the team, who have taken care of it.", "commitment"),
    ("bank", CARD, "You can edit it on the home screen by selecting the", "end"),
    # contacts
    ("hotel", DIRTY, "Please call us at 555-0199.", "phone number"),
    ("hotel", DIRTY, "Bitte rufen Sie +49 30 901820 an.", "phone number"),
    ("hotel", DIRTY, "Call five five five, oh one nine nine.", "phone number"),
    ("bank", CARD, "Our line is ５５５－０１９９.", "phone number"),
    ("bank", CARD, "The line is 555\u200b-0\u00ad199.", "phone number"),
    ("hotel", DIRTY, "See https://harbourlane.example/help for more.", "link"),
    ("bank", CARD, "Go to fernway-support.com and log in.", "link"),
    ("bank", CARD, "Log in at fernway dot com to see it.", "link"),
    ("bank", CARD, "Write to us on Instagram at @fernway_help.", "link"),
    ("hotel", DIRTY, "Write to desk@harbourlane.example.", "e-mail address"),
    ("hotel", DIRTY, "Write to desk [at] harbourlane [dot] com.", "e-mail address"),
    ("hotel", DIRTY, "Write to duty.manager@hotel.example.com.", "e-mail address"),
    # money
    ("hotel", DIRTY, "A clean room costs 50 € more.", "amount"),
    ("hotel", DIRTY, "Parking is 18 euros.", "amount"),
    ("hotel", "Parking?", "Parking is $28 a night.", "amount"),
    ("hotel", "Parking?", "Das Parken kostet fünfundzwanzig Dollar.", "amount"),
    ("hotel", "I am in room 50", "We take 50 dollars off.", "amount"),
    ("restaurant", RAW, "Le menu coûte vingt euros.", "amount"),
    ("bank", CARD, "The fee is 3%.", "percentage"),
    ("bank", CARD, "Die Gebühr beträgt zwei Prozent.", "percentage"),
    # time
    ("hotel", "Breakfast?", "Breakfast is served until 10:30 pm.", "time"),
    ("hotel", "Check-out?", "Check-out is until noon.", "time"),
    ("hotel", "Check-out?", "Der Check-out ist bis 12 Uhr.", "time"),
    ("restaurant", "Open?", "We are open until 1 am.", "time"),
    ("restaurant", "Open?", "Somebody is here 24/7.", "time"),
    ("hotel", DIRTY, "We will clean it on 3 May.", "date"),
    ("hotel", DIRTY, "Am Montag wird das Zimmer gereinigt.", "date"),
    ("hotel", "I come on 3 May", "See you on 3 May 2027.", "date"),
    ("hotel", "I come on 3 May", "See you on 05.06.", "date"),
    ("hotel", DIRTY, "Somebody answers within 24 hours.", "duration"),
    ("hotel", DIRTY, "The duty manager answers within two days.", "duration"),
    ("hotel", DIRTY, "Wir melden uns innerhalb von drei Stunden.", "duration"),
    ("bank", CARD, "Votre carte arrive sous 48 heures.", "duration"),
    ("bank", CARD, "Su tarjeta llega en dos semanas.", "duration"),
    ("bank", CARD, "Your card arrives in the next few days.", "duration"),
    ("bank", CARD, "It takes half an hour.", "duration"),
    ("hotel", DIRTY, "Somebody will call you tomorrow.", "deadline"),
    ("hotel", DIRTY, "Wir kümmern uns morgen darum.", "deadline"),
    ("hotel", DIRTY, "We will clean your room immediately.", "deadline"),
    ("hotel", DIRTY, "You will hear from us by the end of the day.", "deadline"),
    # other figures
    ("hotel", DIRTY, "Your case number is HL-48213.", "number"),
    ("hotel", DIRTY, "Please move to room 318.", "number"),
    # commitments
    ("hotel", DIRTY, "You will get a refund of 200 dollars.", "commitment"),
    ("hotel", DIRTY, "We will process your refund.", "commitment"),
    ("hotel", DIRTY, "Your refund request has been approved.", "commitment"),
    ("hotel", DIRTY, "We do not offer refunds for dirty rooms.", "commitment"),
    ("hotel", DIRTY, "The duty manager will refund you within two working days.", "commitment"),
    ("hotel", DIRTY, "We will pay you 200 dollars.", "commitment"),
    ("hotel", DIRTY, "Your stay is free of charge.", "commitment"),
    ("hotel", DIRTY, "Dinner tonight is on the house.", "commitment"),
    ("hotel", DIRTY, "As compensation we have put wine in your room.", "commitment"),
    ("hotel", DIRTY, "You get a discount on your next stay.", "commitment"),
    ("hotel", DIRTY, "A voucher is waiting for you.", "commitment"),
    ("hotel", DIRTY, "We upgrade you to a suite.", "commitment"),
    ("hotel", DIRTY, "We will waive the cleaning fee.", "commitment"),
    ("hotel", "Cancel my booking", "I have cancelled your booking.", "commitment"),
    ("hotel", DIRTY, "I guarantee that this will not happen again.", "commitment"),
    ("hotel", DIRTY, "We accept full responsibility and are liable.", "commitment"),
    ("hotel", DIRTY, "A technician is on his way.", "commitment"),
    ("bank", CARD, "I have frozen your card.", "commitment"),
    ("bank", CARD, "You won't be charged for this.", "commitment"),
    ("bank", CARD, "We send you a replacement at once.", "commitment"),
    ("bank", CARD, "Your refund will appear on your account within 10 days.", "commitment"),
    ("restaurant", RAW, "Sie erhalten Ihr Geld zurück.", "commitment"),
    ("restaurant", RAW, "Wir erstatten Ihnen den vollen Betrag.", "commitment"),
    ("restaurant", RAW, "Wir schenken Ihnen einen Gutschein.", "commitment"),
    ("restaurant", RAW, "Nous vous rembourserons la totalité.", "commitment"),
    ("restaurant", RAW, "Votre repas est offert par la maison.", "commitment"),
    ("restaurant", RAW, "Le devolveremos su dinero.", "commitment"),
    ("restaurant", RAW, "La cena es gratis para usted.", "commitment"),
    ("restaurant", RAW, "Le rimborseremo la cena.", "commitment"),
    ("restaurant", RAW, "U krijgt uw geld terug.", "commitment"),
    ("restaurant", RAW, "Vamos reembolsar o valor.", "commitment"),
    ("restaurant", RAW, "全額返金いたします。", "commitment"),
    # manner
    ("hotel", DIRTY, "Which room are you in?", "question"),
    ("hotel", DIRTY, "Which room are you in？", "question"),
    ("hotel", DIRTY, "I am sorry. Please provide your room number.", "question"),
    ("hotel", DIRTY, "Could you tell me your room number.", "question"),
    ("hotel", "Mein Zimmer ist dreckig", "Bitte nennen Sie uns Ihre Zimmernummer.", "question"),
    ("hotel", "Das Zimmer ist schmutzig", "I am sorry about the state of your room.", "language"),
    ("hotel", "My room is dirty", "Es tut mir leid, dass Ihr Zimmer nicht sauber ist.", "language"),
    ("hotel", "My room is dirty", "お部屋の状態につきまして申し訳ございません。", "language"),
    (
        "hotel",
        DIRTY,
        "Приносим извинения, мы обязательно вернём вам все деньги завтра.",
        "language",
    ),
    ("hotel", DIRTY, "  \n", "length"),
    ("hotel", DIRTY, "I am so sorry about your room. " + "sorry " * 300, "length"),
    ("hotel", DIRTY, "As an AI language model, I cannot see your room.", "self-description"),
    ("hotel", DIRTY, "I am a human, I promise.", "self-description"),
    ("hotel", DIRTY, "My name is Sarah and I look after you.", "self-description"),
    ("hotel", DIRTY, "My system prompt says that I answer politely.", "self-description"),
    ("hotel", DIRTY, "Ich bin eine KI und helfe gern.", "self-description"),
    ("hotel", DIRTY, "Dear [Name], I am sorry.", "markup"),
    ("hotel", DIRTY, "Dear {{customer}}, I am sorry.", "markup"),
    ("hotel", DIRTY, "I am **very** sorry.", "markup"),
    ("hotel", DIRTY, '{"reply": "I am sorry."}', "markup"),
    ("hotel", DIRTY, "```\nI am sorry.\n```", "markup"),
    ("hotel", DIRTY, "Assistant: I am sorry.", "markup"),
    ("hotel", DIRTY, "I am sorry about that. I am sorry about that.", "repetition"),
    ("hotel", DIRTY, "sorry for the trouble and " * 5, "repetition"),
]


@pytest.mark.parametrize(
    ("name", "message", "reply", "kind"), BAD, ids=[f"{row[3]}: {row[2][:40]}" for row in BAD]
)
def test_a_reply_that_says_too_much_is_refused(
    name: str, message: str, reply: str, kind: str
) -> None:
    desk = DESKS.get(name)
    assert desk is not None

    assert kind in {violation.kind for violation in check_reply(reply, desk=desk, message=message)}
