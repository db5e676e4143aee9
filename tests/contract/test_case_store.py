"""CaseStore: single-row writes guarded by ETags, and one query for a whole case."""

from __future__ import annotations

import asyncio

import pytest

from shared.adapters.azure_clients import AzureStorage
from shared.adapters.table_layout import PROPERTY_UNITS, parse_row, row_entity
from shared.adapters.table_store import TableCaseStore
from shared.domain.rows import Row
from shared.domain.stage import Answer, ChatMessage
from shared.errors import ConflictError, PermanentError
from tests.contract import samples
from tests.contract.conftest import Storage

TEXTS = {
    "controls": "".join(map(chr, range(32))) + "\x7f\x80\x9f\ufeff\u2028\u2029",
    "right-to-left": "הסטייק שלי עדיין נא \u202eשלום\u202c غرفتي متسخة",
    "combining": "Zal̴͐go e\u0301 \u1100\u1161 ก็็็็",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈🥩" * 200,
    "noncharacters": "\ufffe\uffff\U0010ffff",
    "json": '{"json": "\\u0000", "json1": [\'"]}\\',
    "key characters": "a/b\\c#d?e%2Ff'g\"h|i",
    "200 KiB": "x" * 200 * 1024,
    "40,000 emoji": "🥩" * 40_000,
    "odd surrogate pairs": "x" + "🥩" * 40_000,
}


async def test_an_inserted_row_reads_back_with_its_etag(storage: Storage) -> None:
    etag = await storage.cases.insert("c1", samples.message())

    stored = (await storage.cases.read("c1")).stored["m|0001"]
    assert stored.row == samples.message()
    assert stored.etag == etag


async def test_an_unknown_case_is_an_empty_partition(storage: Storage) -> None:
    await storage.cases.insert("c1", samples.received())

    assert (await storage.cases.read("c2")).stored == {}


async def test_one_read_gives_every_kind_of_row_of_the_case_and_no_other(storage: Storage) -> None:
    rows: list[Row] = [samples.received(), samples.message(), samples.stage(), samples.act()]
    rows += [samples.gathered(), samples.window()]
    for row in rows:
        await storage.cases.insert("c1", row)
        await storage.cases.insert("c1x", row)

    partition = await storage.cases.read("c1")
    assert {item.row.key: item.row for item in partition.stored.values()} == {
        row.key: row for row in rows
    }


async def test_a_second_insert_conflicts_and_changes_nothing(storage: Storage) -> None:
    etag = await storage.cases.insert("c1", samples.message(text="first"))

    with pytest.raises(ConflictError):
        await storage.cases.insert("c1", samples.message(text="second"))

    stored = (await storage.cases.read("c1")).stored["m|0001"]
    assert stored.row == samples.message(text="first")
    assert stored.etag == etag


async def test_a_replace_with_the_right_etag_gives_a_new_one(storage: Storage) -> None:
    first = await storage.cases.insert("c1", samples.stage(epoch=1))
    second = await storage.cases.replace("c1", samples.stage(epoch=2), first)
    third = await storage.cases.replace("c1", samples.stage(epoch=3), second)

    stored = (await storage.cases.read("c1")).stored["s|0001|sentiment|000"]
    assert stored.row == samples.stage(epoch=3)
    assert stored.etag == third
    assert len({first, second, third}) == 3


async def test_a_replace_with_a_stale_etag_conflicts_and_changes_nothing(storage: Storage) -> None:
    stale = await storage.cases.insert("c1", samples.stage(epoch=1))
    await storage.cases.replace("c1", samples.stage(epoch=2), stale)

    with pytest.raises(ConflictError):
        await storage.cases.replace("c1", samples.stage("slow worker", epoch=2), stale)

    stored = (await storage.cases.read("c1")).stored["s|0001|sentiment|000"]
    assert stored.row == samples.stage(epoch=2)


async def test_a_replace_of_a_row_that_is_not_there_conflicts(storage: Storage) -> None:
    etag = await storage.cases.insert("c1", samples.message())

    with pytest.raises(ConflictError):
        await storage.cases.replace("c1", samples.stage(), etag)


async def test_a_replaced_row_keeps_nothing_of_a_longer_one(storage: Storage) -> None:
    etag = await storage.cases.insert("c1", samples.stage(answer=Answer(text="x" * 100_000)))
    await storage.cases.replace("c1", samples.stage(epoch=2), etag)

    stored = (await storage.cases.read("c1")).stored["s|0001|sentiment|000"]
    assert stored.row == samples.stage(epoch=2)


async def test_of_fifty_racing_replacers_one_wins(storage: Storage) -> None:
    etag = await storage.cases.insert("c1", samples.stage("nobody"))
    racers = [samples.stage(f"worker-{n}", epoch=2) for n in range(50)]

    results = await asyncio.gather(
        *(storage.cases.replace("c1", row, etag) for row in racers), return_exceptions=True
    )

    winners = [row for row, result in zip(racers, results, strict=True) if isinstance(result, str)]
    assert len(winners) == 1
    assert sum(isinstance(result, ConflictError) for result in results) == 49
    stored = (await storage.cases.read("c1")).stored["s|0001|sentiment|000"]
    assert stored.row == winners[0]


async def test_of_twenty_racing_inserters_one_wins(storage: Storage) -> None:
    racers = [samples.stage(f"worker-{n}") for n in range(20)]

    results = await asyncio.gather(
        *(storage.cases.insert("c1", row) for row in racers), return_exceptions=True
    )

    assert sum(isinstance(result, str) for result in results) == 1
    assert sum(isinstance(result, ConflictError) for result in results) == 19


async def test_text_comes_back_exactly(storage: Storage) -> None:
    rows = {
        name: samples.stage(
            messages=(ChatMessage(role="user", content=text),),
            answer=Answer(text="short", output={"reply": text[:100], "n": [1, 2.5, None, True]}),
        )
        for name, text in TEXTS.items()
    }

    for name, row in rows.items():
        await storage.cases.insert(name, row)

    for name, row in rows.items():
        read = (await storage.cases.read(name)).stored[row.key].row
        assert read == row, name
        assert read.model_dump_json() == row.model_dump_json(), name


async def test_a_row_may_fill_a_megabyte_and_not_more(storage: Storage) -> None:
    await storage.cases.insert("c1", samples.message(text="x" * 520_000))

    with pytest.raises(PermanentError, match="row_too_large"):
        await storage.cases.insert("c1", samples.message(turn=2, text="x" * 525_000))
    assert len((await storage.cases.read("c1")).stored) == 1


async def test_a_case_id_that_azure_does_not_take_is_refused(storage: Storage) -> None:
    for case_id in ["a/b", "a\\b", "a#b", "a?b", "a\nb", "a\x00", "\x85", "x" * 513]:
        with pytest.raises(ValueError, match="key"):
            await storage.cases.insert(case_id, samples.message())
        with pytest.raises(ValueError, match="key"):
            await storage.cases.read(case_id)


async def test_other_case_ids_work_for_every_operation(storage: Storage) -> None:
    for case_id in ["it's", "a b", "50%25", "a+b&c=d", "Straße-é", "x" * 512]:
        etag = await storage.cases.insert(case_id, samples.stage(epoch=1))
        etag = await storage.cases.replace(case_id, samples.stage(epoch=2), etag)

        stored = (await storage.cases.read(case_id)).stored["s|0001|sentiment|000"]
        assert stored.row == samples.stage(epoch=2)
        assert stored.etag == etag


async def test_a_case_of_several_query_pages_is_read_whole(
    azure: AzureStorage, prefix: str
) -> None:
    store = TableCaseStore(azure._table(f"{prefix}cases"), page_size=2)
    for turn in range(1, 6):
        await store.insert("c1", samples.message(turn))

    assert [m.turn for m in (await store.read("c1")).messages] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("shift", range(4))
def test_properties_are_cut_between_characters_and_fit(shift: int) -> None:
    row = samples.message(text="x" * shift + "🥩" * 40_000)

    entity = row_entity("c1", row)

    sizes = [len(v.encode("utf-16-le")) // 2 for k, v in entity.items() if k.startswith("json")]
    assert len(sizes) == 3
    assert max(sizes) <= PROPERTY_UNITS
    assert parse_row(entity) == row


def test_an_unreadable_row_is_named_without_its_text() -> None:
    entity = row_entity("c1", samples.message(text="my secret"))
    entity["json"] = entity["json"].replace('"turn":1', '"turn":"one"')

    with pytest.raises(PermanentError, match=r"row_unreadable: m\|0001: message.turn") as caught:
        parse_row(entity)
    assert "secret" not in str(caught.value)
