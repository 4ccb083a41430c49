"""I10 across lives: whenever the operator dies, the record of its run's rollout replays to what the run says."""

from __future__ import annotations

import asyncio
import contextlib
import uuid

import pytest

from feedbackloop.adapters.connection import Connection
from feedbackloop.adapters.kinds import CONFIG_MAP
from feedbackloop.api.improvementrun import ImprovementRunStatus, RunOutcome
from feedbackloop.domain.replay import tape
from feedbackloop.domain.replay.check import Replayed, against, lines, replay
from tests.api.crash.lives import WELL, Case, Lived, over
from tests.support.apiserver import ApiServer
from tests.support.crashing import Crash, CrashingKubernetes
from tests.support.fakeworld import scene
from tests.support.fakeworld.drive import Life
from tests.support.fakeworld.mirror import Mirror, mirrored

pytestmark = [pytest.mark.api, pytest.mark.timeout(300)]
LIVES = 1


async def replayed(connection: Connection, mirror: Mirror, case: Case) -> tuple[Replayed, ImprovementRunStatus]:
    """The record of a loop's only run, of a life that ended there and the one that followed."""
    namespace = f"record-{uuid.uuid4().hex[:8]}"
    await scene.begin(connection, namespace, mirror=mirror)
    world = scene.new_world(connection, namespace, WELL, mirror=mirror)
    first = Life(world, CrashingKubernetes(world.api, crash_at=case.k, before=case.before))
    with contextlib.suppress(Crash):
        await first.until(over(world))
    if first.kubernetes.crashed:
        await Life(world).until(over(world))
    (run,) = await scene.runs(world.kubernetes, namespace)
    parts = tape.parts(await world.kubernetes.list(CONFIG_MAP, namespace), run["metadata"]["uid"])
    text = "".join(part.text for part in parts)
    await scene.leave(connection, namespace)
    return replay(lines(text)), ImprovementRunStatus.model_validate(run["status"])


async def test_a_record_survives_the_operator(server: ApiServer, reference: Lived) -> None:
    written = [k for k, what in enumerate(reference.writes, 1) if "-replay-" in what]
    assert len(written) > LIVES
    chosen = written[len(written) // 4 :: len(written) // LIVES][:LIVES]
    # After a frame, whose status then never is written; and after a status, whose frame is the last one known.
    cases = [*(Case(k) for k in chosen), *(Case(k + 1) for k in chosen)]
    async with scene.connection(str(server.kubeconfig)) as connection, mirrored(connection) as mirror:
        done = await asyncio.gather(*(replayed(connection, mirror, case) for case in cases))
    for case, (record, status) in zip(cases, done, strict=True):
        assert against(record, status) is None, str(case)
        assert record.steps[-1].result.outcome is status.outcome is RunOutcome.PROMOTED
        assert sum(step.frame.begins for step in record.steps) == 2, str(case)
    assert any(step.unwritten for record, _ in done for step in record.steps)


async def test_nothing_is_written_at_rest(server: ApiServer, reference: Lived) -> None:
    """A frame belongs to a write of the run's status: there are no more of them."""
    records = [what for what in reference.writes if "-replay-" in what]
    statuses = [what for what in reference.writes if "ImprovementRun" in what and "status" in what]
    assert 0 < len(records) <= len(statuses)
