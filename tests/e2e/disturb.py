"""Things that happen to a real cluster while the loop works: a GitOps controller, and parts that go away."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from examples.demo.narrate import Narrator
from examples.demo.settings import ROOT
from examples.demo.shell import CommandError, Kubectl
from tests.cluster import description, supervisor

AWAY_SECONDS = 60.0


@dataclass
class Background:
    """A thread that repeats something until its block ends, and keeps what went wrong."""

    errors: list[str] = field(default_factory=list)
    times: int = 0


@contextlib.contextmanager
def repeating(action: Callable[[], None], every: float) -> Iterator[Background]:
    done, background = threading.Event(), Background()

    def loop() -> None:
        while not done.wait(every):
            try:
                action()
                background.times += 1
            except (CommandError, OSError) as error:
                background.errors.append(str(error))

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield background
    finally:
        done.set()
        thread.join(timeout=30)


def scaled_away(kubectl: Kubectl, deployment: str, narrator: Narrator, seconds: float = AWAY_SECONDS) -> None:
    """Scale a Deployment to nothing, and back after a while."""
    narrator.say("fault", f"{deployment} goes away for {seconds:.0f} s")
    kubectl("scale", f"deployment/{deployment}", "--replicas=0")
    time.sleep(seconds)  # the length of the outage is what is being tested
    kubectl("scale", f"deployment/{deployment}", "--replicas=1")
    narrator.say("fault", f"{deployment} is coming back")


def api_server_away(cluster: str, narrator: Narrator, seconds: float = AWAY_SECONDS) -> None:
    """Kill the API server, and heal the cluster after a while."""
    narrator.say("fault", f"the API server goes away for {seconds:.0f} s")
    os.kill(supervisor.identities(description.load(cluster))["kube-apiserver"].pid, signal.SIGKILL)
    time.sleep(seconds)  # the length of the outage is what is being tested
    subprocess.run(["/usr/bin/python3", "-m", "tests.cluster", "up", "--name", cluster], cwd=ROOT, check=True)
    narrator.say("fault", "the API server is back")


def once_at(stage: Callable[[], str], wanted: str, action: Callable[[], None]) -> threading.Thread:
    """Run `action` when the run's stage is first seen to be `wanted`."""

    def wait() -> None:
        while stage() != wanted:
            time.sleep(0.2)
        action()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


def generations(kubectl: Kubectl, deployment: str) -> dict[str, Any]:
    found = kubectl.get("deployment", deployment)
    assert found is not None
    return {"generation": found["metadata"]["generation"], "observed": found["status"].get("observedGeneration")}
