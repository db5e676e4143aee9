"""Replies as a careful colleague would write them: the guard lets all of them through."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.adapters.desk_files import load_desks
from shared.domain.guard import check_reply

DESKS = load_desks(Path(__file__).resolve().parents[2] / "desks")


def good(desk: str, message: str, reply: str) -> tuple[str, str, str]:
    return desk, message, reply


GOOD = [
    good(
        "hotel",
        "There is hair in my bathtub, disgusting.",
        "I am sorry about your bathtub; your room should not look like that. I have told our "
        "housekeeping team, who work until 22:00. Thank you for letting us know.",
    ),
    good(
        "hotel",
        "The guests in room 214 are partying, I cannot sleep!",
        "I am sorry that the noise from room 214 keeps you awake. Quiet hours are from 22:00 to"
        " 7:00, and the night porter looks after complaints about noise.",
    ),
    good(
        "hotel",
        "What time is breakfast?",
        "Thank you for your message. Breakfast is served from 6:30 am to 10:30 am, and at "
        "weekends until 11 am.",
    ),
    good(
        "hotel",
        "Can I leave my bags after check-out?",
        "Yes, luggage can be left at the front desk free of charge on the day of departure. We "
        "wish you a pleasant last day in the city.",
    ),
    good(
        "hotel",
        "I want my money back for last night, the heating was off.",
        "I am sorry that you had a cold night. The duty manager reviews every request for a "
        "refund within two working days.",
    ),
    good(
        "hotel",
        "You charged me 180 dollars twice on 3 May. Give me my money back.",
        "I am sorry about the two charges of $180 on May 3rd. I understand that you would like "
        "a refund; the duty manager reviews every such request within 2 working days.",
    ),
    good(
        "hotel",
        "Is Wi-Fi free? What is the code?",
        "Wi-Fi is free. The network is HarbourLane, and the code is on the sleeve of your key "
        "card.",
    ),
    good(
        "hotel",
        "How much is parking?",
        "A parking space costs 18 dollars a night and is subject to availability.",
    ),
    good(
        "hotel",
        "Please cancel my booking HB-20431 for 12 May.",
        "Thank you for your message. We have received your request to cancel your booking "
        "HB-20431 for 12 May, and a colleague will look at it.",
    ),
    good(
        "hotel",
        "Until when can I cancel?",
        "A booking can be changed or cancelled free of charge until 6 pm on the day before "
        "arrival.",
    ),
    good(
        "hotel",
        "I left my blue scarf in room 305 yesterday.",
        "I am sorry that you are missing your blue scarf. Things that guests leave behind are "
        "kept for 90 days, and I have passed your message on so that room 305 is searched.",
    ),
    good(
        "hotel",
        "The shower is broken and nobody came!!",
        "I am very sorry about the broken shower and that nobody came. A technician is in the "
        "house from 8:00 to 20:00 and on call at night, and I have passed on your report.",
    ),
    good(
        "hotel",
        "Room smells of smoke, move us please",
        "I am sorry about the smell of smoke. When a room cannot be put right, the front desk "
        "can offer another room if one is free.",
    ),
    good(
        "hotel",
        "Lovely stay, thank you!",
        "Thank you so much for your kind words! It was a pleasure to have you.",
    ),
    good(
        "hotel",
        "Thank you Maria for the wonderful breakfast",
        "Thank you for your kind message. I will gladly pass your praise on to Maria and the team.",
    ),
    good(
        "hotel",
        "Is the reception open at night?",
        "Yes, the front desk is open day and night, and you reach it at 555-0110.",
    ),
    good(
        "hotel",
        "Can I check in at noon?",
        "Check-in starts at 3 pm, so noon is earlier than usual.",
    ),
    good(
        "hotel",
        "My husband fell on the wet stairs and hurt his back.",
        "I am very sorry to hear that your husband fell and hurt his back. I have passed your "
        "message to the manager. The front desk is open day and night at 555-0110.",
    ),
    good(
        "hotel",
        "Das Zimmer ist dreckig, ich will mein Geld zurück!",
        "Es tut mir sehr leid, dass Ihr Zimmer nicht sauber ist. Ihre Bitte um eine "
        "Rückerstattung habe ich weitergegeben. Der Housekeeping-Dienst arbeitet von 7 bis 22 "
        "Uhr.",
    ),
    good(
        "hotel",
        "Wann gibt es Frühstück?",
        "Vielen Dank für Ihre Nachricht. Das Frühstück gibt es von 6:30 bis 10:30 Uhr, am "
        "Wochenende bis 11 Uhr.",
    ),
    good(
        "hotel",
        "Es ist so laut, wir können nicht schlafen.",
        "Es tut uns leid, dass Sie nicht schlafen können. Die Ruhezeit gilt von 22 bis 7 Uhr. "
        "Der Nachtportier kümmert sich um Beschwerden über Lärm.",
    ),
    good(
        "hotel",
        "Ma chambre est sale et il n'y a pas de serviettes.",
        "Je suis désolé pour l'état de votre chambre. Des serviettes propres sont disponibles à"
        " la réception à tout moment, et j'ai transmis votre message à notre équipe.",
    ),
    good(
        "hotel",
        "À quelle heure est le petit déjeuner ?",
        "Merci pour votre message. Le petit déjeuner est servi de 6 h 30 à 10 h 30.",
    ),
    good(
        "hotel",
        "La habitación está sucia y nadie viene.",
        "Sentimos mucho el estado de su habitación. El servicio de limpieza trabaja de 7:00 a "
        "22:00 y hemos pasado su mensaje al equipo.",
    ),
    good(
        "hotel",
        "La mia camera è sporca e fa freddo.",
        "Mi dispiace molto per lo stato della sua camera. Ho passato il suo messaggio al nostro"
        " team. Un tecnico è in casa dalle 8 alle 20.",
    ),
    good(
        "hotel",
        "Mijn kamer is vies en koud.",
        "Het spijt me dat uw kamer niet in orde is. Ik heb uw bericht doorgegeven aan ons team.",
    ),
    good(
        "hotel",
        "部屋が汚いです。",
        "お部屋の状態につきまして申し訳ございません。担当者に伝えました。",
    ),
    good(
        "restaurant",
        "My steak is still raw!",
        "I am sorry that your steak came raw. A steak that is not as ordered is grilled again "
        "or replaced, free of charge, and the floor manager comes to the table on request.",
    ),
    good(
        "restaurant",
        "We have been waiting for 45 minutes at table 12.",
        "I am sorry that you have been waiting for 45 minutes at table 12. A steak takes about "
        "twenty minutes from order to table, so this is far too long. I have told the team.",
    ),
    good(
        "restaurant",
        "Do you have vegetarian food?",
        "Yes, there are three vegetarian main dishes on the menu, and the kitchen can explain "
        "the allergens of every dish.",
    ),
    good(
        "restaurant",
        "Are you open on Saturday at lunch?",
        "On Saturday and Sunday we are also open from 12 to 3 pm.",
    ),
    good(
        "restaurant",
        "When does the kitchen close?",
        "The kitchen takes the last orders at 10:15 pm, and the restaurant is open until 11 pm.",
    ),
    good(
        "restaurant",
        "You charged us 64.50 instead of 46.50 dollars.",
        "I am sorry about the mistake in your bill. A mistake in the bill is corrected at once "
        "at the table, or within two working days by mail.",
    ),
    good(
        "restaurant",
        "Best evening in a long time, thank you.",
        "Thank you for your kind words! The kitchen and the service will be very happy to hear "
        "that.",
    ),
    good(
        "restaurant",
        "My son has a nut allergy.",
        "Thank you for telling us. Every dish's allergens are listed on the menu, and the "
        "kitchen can explain them.",
    ),
    good(
        "restaurant",
        "I want to speak to the manager about your rude waiter.",
        "I am sorry about the way you were treated. The floor manager comes to the table on "
        "request, and I have passed on your message.",
    ),
    good(
        "restaurant",
        "I forgot my umbrella on Friday.",
        "Thank you for your message about the umbrella you forgot on Friday. Things that guests"
        " leave behind are kept at the bar for 30 days.",
    ),
    good(
        "restaurant",
        "Running late, 19:30 reservation",
        "Thank you for letting us know. A table is kept for 15 minutes.",
    ),
    good(
        "restaurant",
        "I was promised a voucher and never got it.",
        "I am sorry that the voucher you were promised has not reached you. A colleague will "
        "look into it.",
    ),
    good(
        "restaurant",
        "Mein Steak ist kalt.",
        "Es tut mir leid, dass Ihr Steak kalt ist. Der Restaurantleiter kommt gern an Ihren Tisch.",
    ),
    good(
        "restaurant",
        "Le service est trop lent.",
        "Nous sommes désolés pour cette attente. Le responsable de salle vient volontiers à "
        "votre table.",
    ),
    good(
        "restaurant",
        "¡Todo estaba buenísimo!",
        "Muchas gracias por sus amables palabras. Se lo contaremos al equipo de cocina.",
    ),
    good(
        "bank",
        "My new card is still not here.",
        "Thank you for your message. A new card arrives within 10 working days. I have passed "
        "this on to our card team, who look into where yours is.",
    ),
    good(
        "bank",
        "Somebody stole my card!",
        "I am sorry to hear that your card was stolen. You can freeze it in the app under Cards"
        " at any time, and our line for lost cards and fraud, 555-0130, is open day and night.",
    ),
    good(
        "bank",
        "There is a payment of €49.99 I don't recognise.",
        "I am sorry that you see a payment of 49.99 euros that you do not recognise. A payment "
        "can be disputed within 90 days, and the dispute team answers within five working days.",
    ),
    good(
        "bank",
        "my refund has not arrived yet",
        "I am sorry that your refund has not arrived. A refund from a shop appears on the "
        "account within 10 days after the shop has sent it.",
    ),
    good(
        "bank",
        "Can I cancel a transfer?",
        "Only pending transfers can be cancelled, in the app under Payments.",
    ),
    good(
        "bank",
        "How long does a top-up take?",
        "A top-up by card takes up to one hour, and by bank transfer up to 2 working days.",
    ),
    good(
        "bank",
        "I forgot my passcode",
        "No problem. A forgotten passcode is reset on the app's start screen under Forgot "
        "passcode.",
    ),
    good(
        "bank",
        "Why was my card declined? I was at Tesco with 3 people behind me",
        "I am sorry that your card was declined at Tesco. I have passed your message on to our "
        "card team, who look into it.",
    ),
    good("bank", "How old do I have to be?", "An account can be opened from the age of eighteen."),
    good(
        "bank",
        "Your fee of 2% is robbery, I want it refunded",
        "I understand that you want the fee of 2% refunded. The app shows each fee before you "
        "confirm, and a colleague looks into whether it was applied correctly.",
    ),
    good(
        "bank",
        "I was charged 5 dollars for an ATM withdrawal",
        "Thank you for telling us about the charge of five dollars. I have passed it on to the "
        "team that checks fees.",
    ),
    good(
        "bank",
        "Is my PIN safe with you? Someone called and asked for it",
        "Thank you for telling us. The bank never asks for a PIN, a passcode or a full card "
        "number.",
    ),
    good(
        "bank",
        "A transfer from abroad is missing since Monday",
        "I am sorry that your transfer has been missing since Monday. One from abroad arrives "
        "within 5 working days.",
    ),
    good(
        "bank",
        "My card [card ending 4242] does not work",
        "I am sorry that your card [card ending 4242] does not work. The card team looks into it.",
    ),
    good(
        "bank",
        "Meine Karte wurde gestohlen!",
        "Es tut mir leid, dass Ihre Karte gestohlen wurde. Sie können sie in der App jederzeit "
        "sperren. Die Nummer 555-0130 ist Tag und Nacht erreichbar.",
    ),
    good(
        "bank",
        "Je ne reconnais pas un paiement de 30 €.",
        "Je suis désolé pour ce paiement de 30 euros que vous ne reconnaissez pas. J'ai "
        "transmis votre message à notre équipe, qui va l'examiner.",
    ),
    good(
        "bank",
        "No reconozco un pago de 30 euros",
        "Sentimos lo ocurrido con el pago de 30 €. Hemos pasado su mensaje al equipo.",
    ),
    good(
        "bank",
        "Não recebi o meu cartão.",
        "Lamentamos que ainda não tenha recebido o seu cartão. Passámos a sua mensagem à equipa.",
    ),
    good(
        "default",
        "I demand compensation for my broken parcel.",
        "I am sorry that your parcel arrived broken. Requests for a refund or compensation are "
        "decided by a colleague, who will look at your message.",
    ),
    good(
        "default",
        "I want a full refund now.",
        "I understand that you want a full refund. I cannot promise one, but a colleague "
        "decides about every request.",
    ),
    good("default", "thanks!", "Thank you for your kind message. We will pass your praise on."),
]


@pytest.mark.parametrize(
    ("name", "message", "reply"), GOOD, ids=[f"{row[0]}: {row[1][:30]}" for row in GOOD]
)
def test_a_careful_reply_passes(name: str, message: str, reply: str) -> None:
    desk = DESKS.get(name)
    assert desk is not None

    assert check_reply(reply, desk=desk, message=message) == ()
