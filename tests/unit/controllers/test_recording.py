"""The record of a rollout as it is written: before each status, across lives, and never in a decision's way."""

from __future__ import annotations

from typing import Any

import pytest

from feedbackloop.api.conditions import Reason
from feedbackloop.api.improvementrun import ImprovementRunSpec, ImprovementRunStatus
from feedbackloop.controllers.run.recording import Recorder
from feedbackloop.domain.errors import OperatorError, Transient, UserError
from feedbackloop.domain.lifecycle.run_seen import RunSeen
from feedbackloop.domain.replay import tape
from feedbackloop.domain.replay.check import lines, replay
from feedbackloop.domain.replay.given import Decided, Given, decided
from feedbackloop.domain.rollout import Advance
from tests.unit.domain.rollout.world import CANDIDATE, CHAMPION, RUN_UID, World

RUN = RunSeen(
    namespace="ml",
    name="bot-finetune-1",
    uid=RUN_UID,
    generation=1,
    spec=ImprovementRunSpec(loop_name="bot", improvement_name="finetune"),
    status=ImprovementRunStatus(),
    loop=None,
)


class Objects:
    """ConfigMaps by name, with a fault on demand."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.error: OperatorError | None = None
        self.reads = self.writes = 0

    async def list(self, kind: Any, namespace: str, *, labels: Any = None) -> list[Any]:
        self.reads += 1
        return list(self.kept.values())

    async def apply(self, body: Any, **how: Any) -> Any:
        if self.error is not None:
            raise self.error
        self.writes += 1
        self.kept[body["metadata"]["name"]] = body
        return body

    @property
    def text(self) -> str:
        return "".join(part.text for part in tape.parts(self.kept.values(), RUN_UID))


def decisions() -> list[Decided]:
    """Those of a whole rollout."""
    made: list[Decided] = []

    class Watched(World):
        def advance(self) -> Advance:
            before, observed = self.status, self.observation
            result = super().advance()
            if result.status != before or result.outcome is not None:
                made.append(decided(Given(self.spec, before, observed, self.now, RUN_UID, CHAMPION, CANDIDATE)))
            return result

    Watched(seed=3, sessions_per_second=6.0, tick_seconds=4.0).run_until_end()
    return made


@pytest.fixture(scope="module")
def made() -> list[Decided]:
    return decisions()


async def write(objects: Objects, made: list[Decided], recorder: Recorder | None = None) -> Recorder:
    recorder = recorder or Recorder(objects)  # type: ignore[arg-type]
    for one in made:
        await recorder.record(RUN, one)
    return recorder


async def test_a_frame_costs_one_write_and_only_the_first_one_a_read(made: list[Decided]) -> None:
    objects = Objects()
    await write(objects, made)
    assert (objects.reads, objects.writes) == (1, len(made))
    replayed = replay(lines(objects.text))
    assert replayed.difference is None and len(replayed.steps) == len(made)


async def test_another_life_goes_on_where_the_last_one_ended(made: list[Decided]) -> None:
    objects = Objects()
    for n in range(0, len(made), 5):
        await write(objects, made[n : n + 5])
    replayed = replay(lines(objects.text))
    assert replayed.difference is None and len(replayed.steps) == len(made)
    assert sum(step.frame.begins for step in replayed.steps) == (len(made) + 4) // 5


@pytest.mark.parametrize(
    "error",
    [Transient(Reason.API_UNAVAILABLE, "away"), UserError(Reason.FORBIDDEN, "may not patch configmaps")],
)
async def test_edge_42_a_record_that_cannot_be_written_delays_no_decision_and_shows_the_gap(
    made: list[Decided], error: OperatorError
) -> None:
    objects = Objects()
    recorder = await write(objects, made[:8])
    objects.error = error
    await write(objects, made[8:11], recorder)
    objects.error = None
    await write(objects, made[11:], recorder)
    found = replay(lines(objects.text)).difference
    assert found is not None and "a decision is missing before this frame" in found.what


async def test_a_record_that_was_broken_delays_no_decision(made: list[Decided]) -> None:
    objects = Objects()
    await write(objects, made[:3])
    next(iter(objects.kept.values()))["binaryData"][tape.FILE] = "broken"
    await write(objects, made[3:4])


async def test_a_full_record_ends(made: list[Decided], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tape, "PART_BYTES", 3000)
    monkeypatch.setattr(tape, "MOST_PARTS", 2)
    objects = Objects()
    await write(objects, made)
    assert len(objects.kept) == 2
    assert replay(lines(objects.text)).difference is None


async def test_a_run_that_is_over_is_forgotten(made: list[Decided]) -> None:
    recorder = await write(Objects(), made)
    assert made[-1].result.outcome is not None
    assert not recorder._open
