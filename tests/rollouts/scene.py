"""The demo's loop with steps that people end, its users, and the verbs of a person."""

from __future__ import annotations

import itertools
import json
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import yaml

from examples.demo.artefacts import loop_manifest, push
from examples.demo.drive import clear_previous, gateway, ready, traffic
from examples.demo.follow import Follower
from examples.demo.install import install
from examples.demo.narrate import Narrator
from examples.demo.record import Acknowledged
from examples.demo.settings import Scenario, Settings
from examples.demo.shell import Kubectl, until
from examples.demo.users import Endpoints
from examples.demo.world import World

Json = dict[str, Any]
RAMP = (1, 2, 3, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 30, 32, 35, 37, 40, 45, 50)
STEPS: list[Json] = [
    *({"setWeight": weight} for weight in RAMP),
    {"pause": {}},
    {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}},
]
AT_HALF = len(RAMP)
"""The index of the pause at weight 50."""


@dataclass
class Scene:
    """The installed loop, and what was last seen of it."""

    kubectl: Kubectl
    settings: Settings
    follower: Follower
    narrator: Narrator
    endpoints: Endpoints
    first_model: Json

    @property
    def run(self) -> Json:
        return self.follower.run

    @property
    def rollout(self) -> Json:
        return dict(self.run.get("status", {}).get("rollout") or {})

    @property
    def outcome(self) -> str | None:
        outcome = self.run.get("status", {}).get("outcome")
        return None if outcome is None else str(outcome)

    def until(self, condition: Callable[[], Any], what: str, seconds: float = 240.0) -> float:
        """Waits, and says when it came true."""
        until(condition, what=what, seconds=seconds, every=0.1)
        return time.monotonic()

    def at_half(self) -> float:
        """The pause at weight 50 is under way, everywhere."""
        return self.until(
            lambda: self.rollout.get("stepIndex") == AT_HALF and self.rollout.get("epochStartedAt"),
            "the pause at weight 50",
        )

    def ask(self, action: str, **bound: Any) -> float:
        """A RolloutAction by the person that this kubeconfig is; returns when it was accepted."""
        who = json.loads(self.kubectl("auth", "whoami", "-o", "json"))["status"]["userInfo"]["username"]
        name = f"{action.lower()}-{time.monotonic_ns()}"
        spec = {"runName": self.run["metadata"]["name"], "action": action, "user": who, **bound}
        head = {"apiVersion": "feedbackloop.dev/v1alpha1", "kind": "RolloutAction", "metadata": {"name": name}}
        self.kubectl("create", "-f", "-", stdin=json.dumps({**head, "spec": spec}))
        return time.monotonic()

    def retry(self) -> None:
        """The same candidate once more, and wait until its rollout has begun."""
        before = self.run["metadata"]["name"]
        self.ask("Retry")
        self.until(lambda: self.run["metadata"]["name"] != before, "the run of the retry")
        self.until(lambda: self.rollout.get("epoch", 0) > 0, "the rollout of the retry")

    def pods(self, selector: str) -> list[Json]:
        return list(json.loads(self.kubectl("get", "pods", "-l", selector, "-o", "json"))["items"])

    def kill(self, selector: str) -> int:
        """Deletes pods without grace, as a lost node would; how many."""
        pods = [pod["metadata"]["name"] for pod in self.pods(selector)]
        if pods:
            self.kubectl("delete", "pod", *pods, "--grace-period=0", "--force", "--wait=false")
        return len(pods)


OPERATOR = "app.kubernetes.io/name=feedbackloop-operator"
CANARY = "feedbackloop.dev/arm=canary"
GATEWAY = "app.kubernetes.io/name=feedbackloop-gateway"


def manifest(settings: Settings, pushed: Any) -> str:
    loop = yaml.safe_load(loop_manifest(settings, pushed))
    rollout = loop["spec"]["rollout"]
    # Otherwise a candidate that was promoted once needs no steps again.
    rollout.update(steps=STEPS, bakeSeconds=5, maxDurationSeconds=3600, rollbackWindow={"revisions": 0})
    loop["spec"]["improvements"][0]["trigger"]["cooldownSeconds"] = 31_536_000
    return str(yaml.safe_dump(loop, sort_keys=False))


def prepared(settings: Settings) -> Scene:
    """Installed, ready, and with its first candidate about to be rolled out."""
    settings.out.mkdir(parents=True, exist_ok=True)
    narrator = Narrator(settings.out / "timeline.jsonl")
    installation = install(settings, narrator)
    kubectl = installation.kubectl
    clear_previous(kubectl, installation, narrator)
    pushed = push(installation, settings)
    kubectl.apply(manifest(settings, pushed))
    follower = Follower(kubectl, narrator, settings.loop)
    until(lambda: ready(follower), what="the loop to be Ready", seconds=300)
    first = {"uri": pushed.model_uri, "digest": pushed.model_digest}
    return Scene(kubectl, settings, follower, narrator, gateway(kubectl, settings), first)


class Users:
    """The demo's users, who vote and correct, from construction until `stop`.

    Each time with another seed: a session that was seen before opens no unit.
    """

    _seeds = itertools.count(11)

    def __init__(self, scene: Scene) -> None:
        self._acknowledged = Acknowledged(scene.settings.out / "acknowledged.jsonl")
        seeded = replace(scene.settings, seed=next(self._seeds))
        self._block = traffic(seeded, scene.endpoints, World(), self._acknowledged, scene.narrator)
        self._block.__enter__()

    def stop(self) -> None:
        self._block.__exit__(None, None, None)


class Epochs:
    """When each epoch was first seen as intended in the run's status, and as applied by every gateway pod."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._done = scene, threading.Event()
        self._known: list[str] = []
        self.intended: dict[tuple[str, int], float] = {}
        self.applied: dict[tuple[str, int], float] = {}
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._done.set()
        self._thread.join(timeout=10)

    def _watch(self) -> None:
        while not self._done.wait(0.02):
            now = time.monotonic()
            key = self._scene.run.get("metadata", {}).get("uid", ""), self._scene.rollout.get("epoch", 0)
            self.intended.setdefault(key, now)
            reported = self._reported()
            if reported is not None:
                self.applied.setdefault(reported, now)

    def _reported(self) -> tuple[str, int] | None:
        """What the gateway's pods say, when all say the same."""
        seen = {status_of(address) for address in self._addresses()}
        return seen.pop() if len(seen) == 1 else None

    def _addresses(self) -> list[str]:
        if not self._known:
            self._known = [pod["status"]["podIP"] for pod in self._scene.pods(GATEWAY)]
        return self._known

    def delays(self) -> list[float]:
        """Seconds from intended to applied, of the epochs that were seen both ways."""
        both = self.intended.keys() & self.applied.keys()
        return sorted(max(0.0, self.applied[key] - self.intended[key]) for key in both if key[1] > 0)


def status_of(address: str) -> tuple[str, int] | None:
    """(run, epoch) that a gateway pod says it applies; None while it does not answer."""
    try:
        with urllib.request.urlopen(f"http://{address}:8082/status", timeout=1) as answer:
            status = json.load(answer)
    except (OSError, ValueError):
        return None
    return status.get("runUid", status.get("run_uid", "")), status.get("epoch", 0)


def settings() -> Settings:
    return Settings(Scenario.PROMOTE, sessions_per_second=8.0)
