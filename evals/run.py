"""Runs a suite: every item once or more, what was done before left out, then the figures."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.baseline import Selection
from evals.errors import EvalError
from evals.flow import Flow
from evals.items import Data, Item, shuffled
from evals.records import ItemRecord, Records
from evals.remembering import Remembering
from evals.suite import Suite
from shared.domain.desk import Desks
from shared.domain.stage import Usage
from shared.ports import ModelClient
from shared.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
#: What decides beside the model; a change of any of it makes earlier records another run's.
_RULES = ("agents/*.py", "shared/domain/**/*.py", "shared/pipeline/*.py", "desks/*.yaml")


@dataclass(frozen=True, slots=True)
class Order:
    """What to run.

    Attributes:
        data: None for the suite's own.
        labels: Only rows with one of these labels.
        desks: Each message once for each of these desks.
        skip: Leave out so many of the items first, in the order that the seed gives: prompts are
            tuned on other messages than they are measured on.
        limit: At most so many items, always the same ones of a seed; None for all.
        repeat: How often each item is worked on.
        parallel: Items at the same time.
        fresh: Forget what an earlier run measured.
        folder: Where records and summaries are kept.
    """

    suite: Suite
    folder: Path
    data: Path | None = None
    labels: tuple[str, ...] = ()
    desks: tuple[str, ...] = ()
    skip: int = 0
    limit: int | None = None
    seed: int = 1
    repeat: int = 1
    parallel: int = 1
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """The model under test.

    Attributes:
        name: As people and baselines call it.
        about: Whatever else changes its answers, as JSON.
        settings: As the product would read them.
    """

    client: ModelClient
    name: str
    about: Mapping[str, Any]
    settings: Settings


@dataclass(frozen=True, slots=True)
class Measured:
    """A run that is complete.

    Attributes:
        items: In the order that the seed gives.
        records: For each item one a repeat.
        done_before: Records that an earlier run had left.
    """

    suite: Suite
    selection: Selection
    items: list[Item]
    records: list[list[ItemRecord]]
    done_before: int
    path: Path


#: Called with how many records there are, how many there will be, and how many were there before.
Progress = Callable[[int, int, int], None]


def choose(order: Order) -> tuple[Data, list[Item]]:
    """The items of an order, in the order that its seed gives.

    Raises:
        EvalError: There are no such data, or they are not as the suite needs them.
    """
    path = order.data or order.suite.data
    if path is None:
        raise EvalError(
            f"{order.suite.name} has no data of its own; name a file with --data, "
            f"with the columns {', '.join(order.suite.columns)}"
        )
    data = order.suite.read(path)
    items = order.suite.items(data, order.labels, order.desks)
    if not items:
        raise EvalError(f"{path}: no row has one of the labels {', '.join(order.labels)}")
    chosen = shuffled(items, order.seed)[order.skip :][: order.limit]
    if not chosen:
        raise EvalError(f"{path}: has only {len(items)} such rows, and --skip leaves out all")
    return data, chosen


async def measure(
    order: Order, data: Data, items: list[Item], model: Model, desks: Desks, progress: Progress
) -> Measured:
    """Work on all items that have no record yet.

    Raises:
        EvalError: The model cannot be reached; what was done is kept.
    """
    suite = order.suite
    selection = Selection(
        suite=suite.name,
        data=data.name,
        sha256=data.digest,
        labels=tuple(sorted(order.labels)),
        desks=order.desks,
        seed=order.seed,
        skip=order.skip,
        model=model.name,
    )
    about = {
        **selection.model_dump(mode="json"),
        "prompts": {agent.stage: agent.prompt_hash for agent in suite.agents},
        "settings": dict(model.about),
        "rules": _digest_of_rules(suite),
    }
    key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
    path = order.folder / f"{suite.name}.{data.name}.{key}.jsonl"
    client = Remembering(model.client) if order.repeat == 1 else model.client
    flow = Flow(suite.agents, client, desks, model.settings)
    wanted = [(item, repeat) for repeat in range(1, order.repeat + 1) for item in items]
    with Records(path, about, fresh=order.fresh) as records:
        left = [(item, repeat) for item, repeat in wanted if (item.id, repeat) not in records.known]
        before = len(wanted) - len(left)
        # Desk by desk: a prompt cache is of most use where one prompt begins like the last.
        waiting = iter(sorted(left, key=lambda one: (one[1], one[0].desk)))

        async def work() -> None:
            for item, repeat in waiting:
                records.add(await _record(suite, flow, item, repeat))
                progress(before + records.added, len(wanted), before)

        progress(before, len(wanted), before)
        workers = [asyncio.create_task(work()) for _ in range(order.parallel)]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
        found = [[records.known[i.id, r] for r in range(1, order.repeat + 1)] for i in items]
    return Measured(suite, selection, items, found, before, path)


async def _record(suite: Suite, flow: Flow, item: Item, repeat: int) -> ItemRecord:
    started = time.perf_counter()
    worked = await flow.work(item)
    stages = [stage for stage in worked.case.stages if stage.model] if worked.case else []
    return ItemRecord(
        id=item.id,
        repeat=repeat,
        outcome=suite.outcome(item, worked),
        errors=worked.errors,
        model=stages[0].model if stages else "",
        prompts={stage.stage: stage.prompt_hash for stage in stages},
        outputs={stage.stage: stage.output for stage in stages},
        usage=sum((stage.usage for stage in stages), Usage()),
        latency_ms=sum(stage.latency_ms for stage in stages),
        seconds=round(time.perf_counter() - started, 3),
    )


def _digest_of_rules(suite: Suite) -> str:
    own = Path(sys.modules[type(suite).__module__].__file__ or "")
    files = sorted(path for pattern in _RULES for path in ROOT.glob(pattern))
    whole = hashlib.sha256()
    for path in (*files, own):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:12]
