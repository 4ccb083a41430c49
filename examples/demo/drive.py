"""One run of the demo: install, apply the YAML, let users talk, watch, report. Nobody touches the loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from examples.demo.artefacts import loop_manifest, push, service_ip
from examples.demo.ask import accuracy
from examples.demo.follow import Follower
from examples.demo.install import Installation, install
from examples.demo.narrate import Narrator
from examples.demo.pandalm import PandaTraffic
from examples.demo.record import Acknowledged
from examples.demo.settings import ROOT, Scenario, Settings
from examples.demo.shell import Kubectl, until
from examples.demo.stored import Found, lost, read, secret, store_of
from examples.demo.users import Endpoints, Traffic
from examples.demo.world import World, held_out

EXPECTED = {
    Scenario.PROMOTE: "promoted",
    Scenario.FORGETFUL: "gated",
    Scenario.REGRESSION: "rolled-back",
    Scenario.PANDALM: "completed",
}


@dataclass
class Story:
    """Everything the report tells."""

    settings: Settings
    seconds: float = 0.0
    setup_seconds: float = 0.0
    build_seconds: float = 0.0
    outcome: str = "none"
    accuracy_before: float | None = None
    accuracy_after: float | None = None
    lost: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    found: Found = field(default_factory=Found)
    loop: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    votes: list[tuple[float, bool, bool]] = field(default_factory=list)
    traffic_start: float = 0.0
    moments: dict[str, float] = field(default_factory=dict)
    samples: list[Any] = field(default_factory=list)

    def line(self) -> dict[str, Any]:
        """The JSON line at the end."""
        status = self.run.get("status", {})
        dataset = status.get("dataset") or {}
        return {
            "outcome": self.outcome,
            "seconds": round(self.seconds, 1),
            "setup_seconds": round(self.setup_seconds, 1),
            "build_seconds": round(self.build_seconds, 1),
            "accuracy_before": self.accuracy_before,
            "accuracy_after": self.accuracy_after,
            "events": len(self.found.events),
            "interactions": len(self.found.outputs),
            "training_rows": dataset.get("trainingRows", 0),
            "preference_pairs": dataset.get("preferencePairs", 0),
            "ties": dataset.get("ties", 0),
            "agreement": dataset.get("agreement"),
            "excluded": {e["reason"]: e["count"] for e in dataset.get("excluded", [])},
            "dataset_digest": dataset.get("digest"),
            "lost": self.lost,
            "duplicates": self.found.duplicates,
            "bad_rows": len(self.found.bad_rows),
            "failed_requests": sum(self.failures.values()),
            "scenario": self.settings.scenario.value,
        }


Disturbance = Callable[[Kubectl, Follower, Narrator], contextlib.AbstractContextManager[object]]
"""Something that happens to the cluster while users talk; for tests."""


def undisturbed(
    _kubectl: Kubectl, _follower: Follower, _narrator: Narrator
) -> contextlib.AbstractContextManager[object]:
    return contextlib.nullcontext()


def drive(settings: Settings, disturbance: Disturbance = undisturbed) -> int:
    if settings.scenario is Scenario.PANDALM and not PandaTraffic.available():
        print("pandalm: skipped, as the data folder is absent (set PANDALM_DATA to the folder of testset-v1.json)")
        return 0
    settings.out.mkdir(parents=True, exist_ok=True)
    narrator = Narrator(settings.out / "timeline.jsonl")
    story = Story(settings)
    installation = install(settings, narrator)
    story.setup_seconds, story.build_seconds = narrator.seconds, installation.build_seconds
    play(settings, narrator, installation, story, disturbance)
    story.seconds = narrator.seconds
    return finish(settings, narrator, story)


def play(
    settings: Settings, narrator: Narrator, installation: Installation, story: Story, disturbance: Disturbance
) -> None:
    kubectl = installation.kubectl
    clear_previous(kubectl, installation, narrator)
    pushed = push(installation, settings)
    narrator.say(
        "setup", f"pushed the base model {pushed.model_digest[7:19]} and the golden set {pushed.golden_digest[7:19]}"
    )
    (settings.out / "loop.yaml").write_text(loop_manifest(settings, pushed), encoding="utf-8")
    kubectl("apply", "-f", str(settings.out / "loop.yaml"))
    narrator.say(
        "loop", f"kubectl apply -f {(settings.out / 'loop.yaml').relative_to(ROOT)}: from here on nobody touches it"
    )
    follower = Follower(kubectl, narrator, settings.loop)
    try:
        with narrator.waiting("loop", "waiting for the gateway and the adopted server"):
            until(lambda: ready(follower), what=f"FeedbackLoop {settings.loop} to be Ready", seconds=300)
        with disturbance(kubectl, follower, narrator):
            converse(settings, narrator, kubectl, follower, story)
        story.loop, story.run = follower.loop, follower.run
        story.moments, story.samples = follower.moments, follower.samples
    finally:
        follower.close()


def ready(follower: Follower) -> bool:
    conditions = follower.loop.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def clear_previous(kubectl: Kubectl, installation: Installation, narrator: Narrator) -> None:
    """A loop of an earlier demo goes, and with it its gateway; the server starts anew, unadopted."""
    if (kubectl.get("feedbackloops") or {}).get("items"):
        with narrator.waiting("setup", "removing the loop of the demo before"):
            kubectl("delete", "feedbackloops", "--all", "--wait", "--timeout=180s")
        kubectl("delete", "deployment", "support-bot", "--wait", "--timeout=60s")
        from examples.demo.install import apply_platform

        apply_platform(kubectl, installation.environments, narrator)


def converse(settings: Settings, narrator: Narrator, kubectl: Kubectl, follower: Follower, story: Story) -> None:
    """Users talk until the run has ended; then everything acknowledged must be in storage."""
    endpoints = gateway(kubectl, settings)
    world = World()
    acknowledged = Acknowledged(settings.out / "acknowledged.jsonl")
    if settings.scenario is not Scenario.PANDALM:
        story.accuracy_before = measure(endpoints, world, narrator, "before")
    story.traffic_start = narrator.seconds
    with traffic(settings, endpoints, world, acknowledged, narrator) as driver:
        story.outcome = watch_run(settings, narrator, follower, world)
        if not isinstance(driver, PandaTraffic):
            story.votes = driver.votes
    if settings.scenario is not Scenario.PANDALM:
        story.accuracy_after = measure(endpoints, world, narrator, "after")
    story.failures = dict(acknowledged.failures)
    with narrator.waiting("end", "counting what storage holds"):
        story.found, story.lost = settle(kubectl, settings, follower)
    narrator.say(
        "end", f"{len(story.found.events)} events in storage, {story.lost} lost, {story.found.duplicates} twice"
    )


def gateway(kubectl: Kubectl, settings: Settings) -> Endpoints:
    ip = service_ip(kubectl, f"{settings.loop}-gateway")
    token = secret(kubectl, "app-token")["token"].decode()
    return Endpoints(app=f"http://{ip}:8080", feedback=f"http://{ip}:8081", app_token=token)


def measure(endpoints: Endpoints, world: World, narrator: Narrator, when: str) -> float:
    questions = held_out("golden")
    with narrator.waiting("end", f"asking {len(questions)} held-out questions"):
        value = asyncio.run(accuracy(endpoints.app, endpoints.app_token, questions, world))
    narrator.say("end", f"accuracy {when}: {value:.3f} on {len(questions)} questions that no user types")
    return round(value, 4)


@contextlib.contextmanager
def traffic(
    settings: Settings, endpoints: Endpoints, world: World, acknowledged: Acknowledged, narrator: Narrator
) -> Iterator[Traffic | PandaTraffic]:
    """Users in a thread of their own, until the block ends."""
    driver: Traffic | PandaTraffic
    if settings.scenario is Scenario.PANDALM:
        driver = PandaTraffic(endpoints, acknowledged, narrator)
    else:
        driver = Traffic(endpoints, world, acknowledged, seed=settings.seed, rate=settings.sessions_per_second)
        narrator.say("users", f"{driver.population_size} users start to ask, about {driver.rate:.0f} sessions a second")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=lambda: loop.run_until_complete(driver.run()), daemon=True)
    thread.start()
    try:
        yield driver
    finally:
        loop.call_soon_threadsafe(driver.stop)
        thread.join(timeout=60)


def watch_run(settings: Settings, narrator: Narrator, follower: Follower, world: World) -> str:
    """Wait for the run's outcome; in the drift scenario, turn the world once the canary has traffic."""
    deadline = time.monotonic() + settings.deadline_seconds
    while time.monotonic() < deadline:
        status = follower.run.get("status", {})
        rollout = status.get("rollout") or {}
        if settings.scenario is Scenario.REGRESSION and not world.turned and rollout.get("weight", 0) > 0:
            world.turn()
            narrator.say("users", "the world turns: what users corrected is no longer true")
        if status.get("outcome"):
            return kebab(status["outcome"])
        if undecided(rollout, settings.decision_limit):
            return "undecided"
        time.sleep(0.5)
    return "timed-out"


def undecided(rollout: dict[str, Any], limit: int) -> bool:
    """True when so many sessions were counted without a decision."""
    if rollout.get("bakingSince") or rollout.get("abort"):
        return False
    return any(
        o.get("verdict") == "Inconclusive" and o["stable"].get("units", 0) + o["canary"].get("units", 0) > limit
        for o in rollout.get("outcomes", [])
    )


def kebab(outcome: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in outcome).lstrip("-")


def settle(kubectl: Kubectl, settings: Settings, follower: Follower) -> tuple[Found, int]:
    """Read storage until nothing acknowledged is missing, or for a minute."""
    store = store_of(kubectl, settings, follower.loop)
    found = Found()

    def complete() -> bool:
        nonlocal found
        found = read(store)
        return lost(settings.out / "acknowledged.jsonl", found) == 0

    with contextlib.suppress(TimeoutError):
        until(complete, what="the last segments to be uploaded", seconds=60, every=2)
    return found, lost(settings.out / "acknowledged.jsonl", found)


def finish(settings: Settings, narrator: Narrator, story: Story) -> int:
    from examples.demo.report.page import write

    (settings.out / "run.json").write_text(json.dumps(story.run, indent=2), encoding="utf-8")
    page = write(story, settings.out / "report.html")
    narrator.say("end", f"report: {page.relative_to(ROOT)}")
    line = json.dumps(story.line())
    (settings.out / "result.json").write_text(line + "\n", encoding="utf-8")
    print(line, flush=True)
    expected = EXPECTED[settings.scenario]
    if story.outcome != expected or story.lost:
        narrator.say("fault", f"expected outcome {expected} with nothing lost")
        explain(narrator, settings)
        return 1
    return 0


def explain(narrator: Narrator, settings: Settings) -> None:
    """Where to look when a demo did not end as it should."""
    tail = "\n".join(f"    {line}" for line in json.dumps(kept(settings), indent=1).splitlines()[:40])
    narrator.say("fault", f"the run's status is in {(settings.out / 'run.json').relative_to(ROOT)}\n{tail}")


def kept(settings: Settings) -> dict[str, Any]:
    path: Path = settings.out / "run.json"
    status: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")).get("status", {})
    return {key: status.get(key) for key in ("stage", "message", "outcome", "gates", "conditions")}
