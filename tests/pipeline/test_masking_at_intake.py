"""What must not be kept is masked before anything is stored, and people see that it was."""

from __future__ import annotations

import pytest

from shared.domain.rows import Channel
from shared.errors import RequestError
from shared.pipeline.intake import Arrival
from tests.support.world import NEGATIVE, World

CARD, IBAN, WORD = "4242 4242 4242 4242", "DE89 3704 0044 0532 0130 00", "hunter2-and-more"
SECRETS = (CARD, IBAN, WORD)
TEXT = f"Room 4 is dirty. Card {CARD}, IBAN {IBAN}, password: {WORD}."
MASKED = "Room 4 is dirty. Card [card ending 4242], IBAN [IBAN DE…00], password: [password]."


def leaks(world: World, *more: str) -> list[str]:
    """Secrets in anything that the world holds: rows, blobs, index, queues, prompts."""
    rows = [str(view) for view in world.store._cases.values()]
    everything = "\n".join(
        [*rows, str(world.texts.__dict__), str(world.index.__dict__), str(world.model.calls), *more]
    )
    return [secret for secret in SECRETS if secret in everything]


async def test_secrets_reach_no_row_no_model_and_no_listing() -> None:
    world = World(NEGATIVE)
    case_id = await world.open(TEXT)
    await world.deliver()
    case = await world.case(case_id)

    assert leaks(world, case.model_dump_json()) == []
    assert case.customer_query == MASKED
    assert case.turns[0].masked == ("card number", "IBAN", "password")


async def test_secrets_reach_no_blob() -> None:
    world = World(NEGATIVE)
    case_id = await world.open(TEXT + " x" * 20_000 + TEXT)
    message = (await world.store.read(case_id)).messages[0]

    assert message.blob is not None
    stored = await world.texts.get(message.blob)
    assert stored == MASKED + " x" * 20_000 + MASKED
    assert leaks(world) == []


async def test_a_later_message_is_masked_too() -> None:
    world = World(NEGATIVE)
    case_id = await world.open("Room 4 is dirty.")
    await world.app.intake.follow_up(case_id, TEXT)

    assert (await world.case(case_id)).customer_query == MASKED
    assert leaks(world) == []


async def test_a_scene_and_an_id_of_several_words_are_masked_and_a_plain_id_is_kept() -> None:
    world = World(NEGATIVE)
    prose = Channel(source="crm", external_id=f"ticket of card {CARD}")
    case_id = await world.open("Dirty.", scene=f"A shop. IBAN {IBAN}.", channel=prose)
    case = await world.case(case_id)

    assert case.support_context == "A shop. IBAN [IBAN DE…00]."
    assert case.channel.external_id == "ticket of card [card ending 4242]"
    assert leaks(world) == []
    plain = Channel(source="crm", external_id="4242424242424242")
    assert (await world.case(await world.open("Dirty.", channel=plain))).channel == plain


async def test_risks_are_looked_for_in_what_the_customer_wrote() -> None:
    """Given a secret that is itself a cry for help, then masking it silences nothing."""
    world = World(NEGATIVE)
    case_id = await world.open("my password is suicidal2")
    message = (await world.store.read(case_id)).messages[0]

    assert (message.text, message.signals) == ("my password is [password]", ("safety",))


async def test_the_same_masked_text_is_not_the_same_message() -> None:
    world = World(NEGATIVE)
    one = Arrival(text="My PIN is 4711.", desk="hotel", delivery_id="d-1")
    first = await world.app.intake.accept(one)
    assert (await world.app.intake.accept(one)).case_id == first.case_id
    with pytest.raises(RequestError, match="used twice"):
        await world.app.intake.accept(
            Arrival(text="My PIN is 4712.", desk="hotel", delivery_id="d-1")
        )


async def test_a_fingerprint_gives_no_pin_away() -> None:
    """Who can read the rows but not the secret cannot try all PINs against the fingerprint."""
    import hashlib
    import json

    world = World(NEGATIVE)
    case_id = await world.open("My PIN is 4711.")
    fingerprint = (await world.store.read(case_id)).messages[0].fingerprint
    parts = ["hotel", None, Channel().model_dump(), "My PIN is 4711."]

    assert fingerprint != hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@pytest.mark.parametrize("scene", ["a\x01b", "219-09-9999 " * 330])
async def test_a_scene_that_cannot_be_kept_is_refused_and_says_why(scene: str) -> None:
    with pytest.raises(RequestError, match="support_context cannot be used") as refused:
        await World().open("Hello", scene=scene)
    assert refused.value.status == 422
