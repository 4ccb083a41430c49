"""A real rollout under continuous traffic while things go wrong, from outside: requests fail only by the fault itself.

The scenarios follow each other on one loop. The first trains the candidate; the others roll it out once more.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.rollouts.probe import CANDIDATE, CHAMPION, Probe, failures, last_of, moved_to_candidate_and_back
from tests.rollouts.scene import CANARY, GATEWAY, OPERATOR, Epochs, Scene, Users

ABORT_SECONDS = 5.0
APPLY_SECONDS = 2.0


def figure(name: str, value: float, goal: str, **more: object) -> None:
    """One JSON line, as the benchmarks print them."""
    line = {"figure": name, "value": round(value, 3), "unit": "s", "goal": goal, **more}
    print(json.dumps(line), flush=True)


def test_an_aborted_candidate_has_no_traffic_within_seconds(scene: Scene, probe: Probe, epochs: Epochs) -> None:
    users = Users(scene)
    scene.until(lambda: scene.rollout.get("epoch", 0) > 0, "the first rollout", seconds=900)
    users.stop()
    probe.renew()
    start = scene.at_half()
    scene.until(lambda: _share(probe, start) > 0.2, "the canary to answer its share")
    moment = scene.ask("Abort")
    decided = scene.until(lambda: scene.rollout.get("abort"), "the abort to be decided", seconds=30)
    scene.until(lambda: scene.outcome == "RolledBack", "the run to end")
    to_zero = last_of(probe.samples, CANDIDATE, decided)
    figure("rollout.abort_to_zero_s", to_zero, f"<={ABORT_SECONDS:.0f}", asked_to_decided=round(decided - moment, 3))
    assert to_zero <= ABORT_SECONDS
    assert failures(probe.samples, start) == []
    assert moved_to_candidate_and_back(probe.samples, start, moment) == [], "canary to stable only by the abort"


def test_the_target_grows_while_the_canary_has_half(scene: Scene, probe: Probe, epochs: Epochs) -> None:
    start = _again(scene, probe)
    scene.kubectl("scale", "deployment/support-bot", "--replicas=2")
    scene.until(lambda: _ready(scene) == 2, "two replicas of the target")
    scene.until(lambda: scene.rollout.get("canaryReplicas") == 1, "the canary's half of two")
    scene.kubectl("scale", "deployment/support-bot", "--replicas=1")
    scene.until(lambda: _ready(scene) == 1, "one replica of the target")
    assert failures(probe.samples, start) == []


def test_all_canary_pods_crash_and_users_do_not_notice(scene: Scene, probe: Probe, epochs: Epochs) -> None:
    start = probe.mark("canary pods crash")
    assert scene.kill(CANARY) >= 1
    scene.until(lambda: scene.rollout.get("instabilities") == 1, "the loss to be seen", seconds=60)
    scene.until(lambda: scene.rollout.get("weight") == 50 and scene.rollout.get("epochStartedAt"), "weight 50 again")
    assert failures(probe.samples, start) == [], "stable answered meanwhile"


def test_another_writer_of_the_route_is_undone(scene: Scene, probe: Probe, epochs: Epochs) -> None:
    start, name = probe.mark("another writer"), f"{scene.settings.loop}-gateway"
    before = (scene.kubectl.get("configmap", name) or {})["data"]["config.json"]
    config = json.loads(before)
    config["routing"]["weight"] = 100
    patch = json.dumps({"data": {"config.json": json.dumps(config)}})
    scene.kubectl("patch", "configmap", name, "--type=merge", "-p", patch)
    scene.until(
        lambda: (scene.kubectl.get("configmap", name) or {})["data"]["config.json"] == before, "the route as it was"
    )
    assert failures(probe.samples, start) == []


@pytest.mark.parametrize("part", [OPERATOR, GATEWAY], ids=["operator", "gateway"])
def test_a_part_is_killed_in_every_phase_and_the_candidate_is_promoted(
    scene: Scene, probe: Probe, epochs: Epochs, part: str
) -> None:
    if part == GATEWAY:
        _back_to_the_first_model(scene, probe)
        _again(scene, probe)
    start = probe.mark(f"killing {part}")
    users = Users(scene)
    with _killing_in_every_phase(scene, part) as killed:
        scene.ask("Promote")
        scene.until(lambda: scene.outcome, "the run to end", seconds=600)
    users.stop()
    assert scene.outcome == "Promoted", scene.run["status"].get("message")
    assert {"Decision", "Baking", "UpdatingTarget"} <= {k.phase for k in killed}, "it was killed in every phase"
    own = [(k.at, k.back) for k in killed] if part == GATEWAY else []
    others = [s for s in failures(probe.samples, start) if not any(a - 1 <= s.at <= b + 1 for a, b in own)]
    assert others == []
    assert moved_to_candidate_and_back(probe.samples, start, time.monotonic()) == []


def test_a_rollback_is_one_change_of_the_declaration(scene: Scene, probe: Probe, epochs: Epochs) -> None:
    start = probe.mark("rollback")
    _back_to_the_first_model(scene, probe)
    assert failures(probe.samples, start) == []


def test_a_loop_deleted_at_weight_fifty_leaves_stable_serving(scene: Scene, probe: Probe, epochs: Epochs) -> None:
    """The gateway goes with its loop; until then nothing fails, and the target serves the champion afterwards."""
    start = _again(scene, probe)
    digests = {e["value"] for e in _environment(scene) if e["name"] == "MODEL_DIGEST"}
    deleted = probe.mark("the loop is deleted")
    scene.kubectl("delete", "feedbackloop", scene.settings.loop, "--wait", "--timeout=240s")
    assert failures(probe.samples, start, deleted) == []
    assert digests == {scene.first_model["digest"]}
    scene.until(lambda: not scene.pods(CANARY), "the canary's pods to be gone")
    assert _ready(scene) == 1


def test_weights_are_applied_in_time(epochs: Epochs) -> None:
    delays = epochs.delays()
    assert len(delays) >= 20, "weight changes that were seen"
    p95 = delays[max(0, round(0.95 * len(delays)) - 1)]
    figure("rollout.weight_apply_p95_s", p95, f"<={APPLY_SECONDS:.0f}", changes=len(delays), most=round(delays[-1], 3))
    assert p95 <= APPLY_SECONDS


def _share(probe: Probe, since: float) -> float:
    models = [s.model for s in list(probe.samples) if s.at >= since and s.model in (CHAMPION, CANDIDATE)]
    return models.count(CANDIDATE) / len(models) if len(models) >= 20 else 0.0


def _again(scene: Scene, probe: Probe) -> float:
    """Another rollout of the same candidate, at weight 50."""
    start = probe.mark("retry")
    scene.retry()
    probe.renew()
    scene.at_half()
    return start


def _back_to_the_first_model(scene: Scene, probe: Probe) -> None:
    """What `git revert` does: the declared model changes, here to the same artefact under a fresh declaration."""
    loop = scene.settings.loop
    for model in (scene.run["status"]["candidate"], scene.first_model):
        patch = json.dumps({"spec": {"target": {"model": {"uri": model["uri"], "digest": model["digest"]}}}})
        scene.kubectl("patch", "feedbackloop", loop, "--type=merge", "-p", patch)
        _served(scene, model["digest"])
    scene.kubectl("wait", "--for=condition=Ready", f"feedbackloop/{loop}", "--timeout=240s")
    probe.renew()


def _served(scene: Scene, digest: str) -> None:
    scene.until(lambda: _champion(scene) == digest, "the declared model to be champion")


def _champion(scene: Scene) -> str:
    return str((scene.follower.loop.get("status", {}).get("champion") or {}).get("digest"))


def _ready(scene: Scene) -> int:
    found = scene.kubectl.get("deployment", "support-bot") or {}
    status = found.get("status", {})
    current = status.get("observedGeneration") == found.get("metadata", {}).get("generation")
    return (
        int(status.get("readyReplicas", 0)) if current and status.get("replicas") == status.get("readyReplicas") else 0
    )


def _environment(scene: Scene) -> list[dict[str, str]]:
    found = scene.kubectl.get("deployment", "support-bot") or {}
    return list(found["spec"]["template"]["spec"]["initContainers"][0]["env"])


@dataclass
class Kill:
    phase: str
    at: float
    back: float


@contextmanager
def _killing_in_every_phase(scene: Scene, part: str) -> Iterator[list[Kill]]:
    """Kills once in each phase that the rollout is seen in, and waits until the part is back."""
    done, kills = threading.Event(), list[Kill]()

    def watch() -> None:
        while not done.wait(0.1):
            phase = _phase(scene)
            if phase and phase not in {k.phase for k in kills}:
                kills.append(_kill(scene, part, phase))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield kills
    finally:
        done.set()
        thread.join(timeout=120)


def _kill(scene: Scene, part: str, phase: str) -> Kill:
    at = time.monotonic()
    gone = {pod["metadata"]["uid"] for pod in scene.pods(part)}
    scene.kill(part)
    scene.until(lambda: _back(scene, part, gone), f"{part} to be back", seconds=180)
    return Kill(phase, at, time.monotonic())


def _back(scene: Scene, part: str, gone: set[str]) -> bool:
    pods = [pod for pod in scene.pods(part) if pod["metadata"]["uid"] not in gone]
    ready = [c["status"] for p in pods for c in p["status"].get("conditions", []) if c["type"] == "Ready"]
    return bool(ready) and all(status == "True" for status in ready)


def _phase(scene: Scene) -> str:
    """Where the rollout is, by its intents."""
    rollout = scene.rollout
    if scene.outcome:
        return ""
    for field, phase in (("drainingSince", "Draining"), ("movedBackSince", "MovingBack"),
                         ("promotingSince", "UpdatingTarget"), ("bakingSince", "Baking")):  # fmt: skip
        if rollout.get(field):
            return phase
    return "Decision"
