"""What is masked, in which forms, and what is left alone."""

from __future__ import annotations

import json

import pytest

from shared.domain.masking import mask

CARDS = [
    "4242424242424242",
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    "4242.4242.4242.4242",
    "4242  4242  4242  4242",
    "4242 - 4242 - 4242 - 4242",
    "4242/4242/4242/4242",
    "4242 4242\n4242 4242",
    "4242\u00a04242\u00a04242\u00a04242",
    "4242–4242–4242–4242",
    "42 42 42 42 42 42 42 42",
    "4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2",
    "４２４２ ４２４２ ４２４２ ４２４２",
    "4242\u200b4242\u200b4242\u200b4242",
    "4242\u00ad4242\u00ad4242\u00ad4242",
    "42424242\u202e42424242",
    "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
    "𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐𝟒𝟐",
]


@pytest.mark.parametrize("card", CARDS)
def test_a_card_is_masked_in_every_common_form(card: str) -> None:
    masked = mask(f"Karte {card}, bitte!")

    assert masked.text == "Karte [card ending 4242], bitte!"
    assert masked.found == ("card number",)


@pytest.mark.parametrize(
    ("card", "last"),
    [
        ("378282246310005", "0005"),
        ("3782 822463 10005", "0005"),
        ("5555555555554444", "4444"),
        ("2223003122003222", "3222"),
        ("6011 1111 1111 1117", "1117"),
        ("3056 930902 5904", "5904"),
        ("3530111333300000", "0000"),
        ("6200 0000 0000 0005", "0005"),
        ("6759649826438453", "8453"),
        ("my card number is 501864667909", "7909"),
        ("card4242424242424242please", "4242"),
        ("+4242 4242 4242 4242", "4242"),
        ("2024 4242 4242 4242 4242 12 26", "4242"),
    ],
)
def test_cards_of_other_issuers_and_in_company_are_masked(card: str, last: str) -> None:
    assert f"[card ending {last}]" in mask(card).text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("DE89370400440532013000", "[IBAN DE…00]"),
        ("DE89 3704 0044 0532 0130 00", "[IBAN DE…00]"),
        ("de89-3704-0044-0532-0130-00", "[IBAN DE…00]"),
        ("DE89\u00a03704\u00a00044 0532\u200b0130 00", "[IBAN DE…00]"),
        ("ＤＥ８９３７０４００４４０５３２０１３０００", "[IBAN DE…00]"),
        ("GB82 WEST 1234 5698 7654 32", "[IBAN GB…32]"),
        ("FR1420041010050500013M02606", "[IBAN FR…06]"),
        ("NL91ABNA0417164300", "[IBAN NL…00]"),
        ("NO9386011117947", "[IBAN NO…47]"),
        ("Meine IBAN:DE89370400440532013000.", "Meine IBAN:[IBAN DE…00]."),
        ("Straße DE89370400440532013000", "Straße [IBAN DE…00]"),
    ],
)
def test_an_iban_is_masked(text: str, masked: str) -> None:
    assert mask(text).text == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("219-09-9999", "[US social security number …99]"),
        ("my SSN is 219099999", "my SSN is [US social security number …99]"),
        ("AB 12 34 56 C", "[UK national insurance number …6C]"),
        ("12345678Z", "[Spanish DNI …8Z]"),
        ("X1234567L", "[Spanish NIE …7L]"),
        ("1 84 12 76 451 089 46", "[French social security number …46]"),
        ("Steuer-ID 86095742719", "Steuer-ID [German tax number …19]"),
        ("86 095 742 719", "[German tax number …19]"),
        ("BSN 111222333", "BSN [Dutch BSN …33]"),
        ("rssmra85t10a562s", "[Italian tax code …2S]"),
        ("529.982.247-25", "[Brazilian CPF …25]"),
        ("2341 2341 2346", "[Aadhaar number …46]"),
        ("756.9217.0769.85", "[Swiss AHV number …85]"),
        ("PESEL: 44051401359", "PESEL: [Polish PESEL …59]"),
        ("personnummer 811228-9874", "personnummer [Swedish personal number …74]"),
        ("NIF 123456789", "NIF [Portuguese NIF …89]"),
        ("SIN 046 454 286", "SIN [Canadian SIN …86]"),
    ],
)
def test_national_ids_are_masked(text: str, masked: str) -> None:
    assert mask(text).text == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("My password is hunter2.", "My password is [password]."),
        ("Password: swordfish", "Password: [password]"),
        ("password=hunter2&x=1", "password=[password]"),
        ('the password is "correct horse"', 'the password is "[password]"'),
        ("Mein Passwort lautet Sommer2024!", "Mein Passwort lautet [password]"),
        ("Mon mot de passe est soleil", "Mon mot de passe est [password]"),
        ("mi contraseña es gato", "mi contraseña es [password]"),
        ("password for my account is abc-1", "password for my account is [password]"),
        ("PIN: 1234", "PIN: [PIN]"),
        ("pin 4821", "pin [PIN]"),
        ("the PIN for my card is 4 8 2 1", "the PIN for my card is [PIN]"),
        ("cvv 123", "cvv [security code]"),
        ("My security code is 9876", "My security code is [security code]"),
        ("OTP 482913", "OTP [one-time code]"),
        ("the verification code is 482-913", "the verification code is [one-time code]"),
        ("passport no. C01X00T47", "passport no. [passport number]"),
        ("PIN 4242 4242 4242 4242", "PIN [card ending 4242]"),
        ("password: ab4242424242424242cd", "password: [password]"),
    ],
)
def test_secrets_are_masked_after_a_cue(text: str, masked: str) -> None:
    assert mask(text).text == masked


JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"token {JWT} ok", "token [token] ok"),
        ("Authorization: Bearer abcdefghijklmnopqrstuv", "Authorization: Bearer [token]"),
        ("sk-proj-abcdefghijklmnopqrstuvwx", "[API key]"),
        ("use sk_live_4eC39HqLyjWDarjtT1zdp7dc", "use [API key]"),
        ("AKIAIOSFODNN7EXAMPLE", "[API key]"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[API key]"),
        ("AccountName=a;AccountKey=" + "A" * 86 + "==;x", "AccountName=a;AccountKey=[API key];x"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
            "[private key]",
        ),
    ],
)
def test_keys_of_known_forms_are_masked(text: str, masked: str) -> None:
    assert mask(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "Order 00004587345, invoice 732201349959, booking HB-20431.",
        "Order 1234567812345678 and 4242424242424241",
        "Amazon 113-1234567-1234567, UPS 1Z999AA10123456784",
        "IMEI 490154203237518, EAN 4006381333931",
        "Call +4915112345678, +49 151 12345678, 030 901820, (555) 555-0110 or 0044 20 7946 0958.",
        "On 2024-05-01 at 10:30:15, room 214, table 12, 3 nights, 12/05/2026 - 15/05/2026.",
        "1,200.00 euros, $18, 64.50 dollars, 2 000 000 yen",
        "at 10 in the morning, it 50 people, me 12 of them, no 12 345 678 901",
        "I forgot my password to get into the app! My password is not working.",
        "My PIN is blocked after 3 tries, the passcode was changed, PIN 3 times wrong.",
        "pin to the board, a password reset, security code missing",
        "219-09-0000 666-12-3456 987-65-4321 12345678A",
        "550e8400-e29b-41d4-a716-446655440000 d41d8cd98f00b204e9800998ecf8427e",
        "[card ending 4242] and [PIN] and password: [password]",
        "",
        " \n\u200b",
    ],
)
def test_ordinary_numbers_and_words_are_left_alone(text: str) -> None:
    assert mask(text) == type(mask(""))(text)


def test_json_stays_json() -> None:
    data = {
        "card": 4242424242424242,
        "cards": ["4242 4242 4242 4242", 5555555555554444],
        "pin": 1234,
        "password": 'ab"c d',
        "inner": json.dumps({"password": "hunter2", "cvv": 123}),
        "iban": "DE89\u00ad3704 0044\n0532 0130 00",
        "note": "４２４２４２４２４２４２４２４２",
        "n": 12,
    }

    for ascii_only in (True, False):
        masked = json.loads(mask(json.dumps(data, ensure_ascii=ascii_only)).text)

        assert masked["card"] == "[card ending 4242]"
        assert masked["cards"] == ["[card ending 4242]", "[card ending 4444]"]
        assert masked["pin"] == "[PIN]"
        assert masked["password"] == "[password]"
        assert "hunter2" not in masked["inner"]
        assert masked["iban"] == "[IBAN DE…00]"
        assert masked["note"] == "[card ending 4242]"
        assert masked["n"] == 12


def test_what_was_found_is_counted() -> None:
    masked = mask("Card 4242424242424242, PIN 1234, IBAN DE89370400440532013000")

    assert sorted(masked.found) == ["IBAN", "card number", "password"]
