"""`make demo-verify`: the demo's claims, computed again from other evidence.

`lost` from object storage and the driver's list of acknowledgements; `accuracy_after` over HTTP with
questions of its own that neither users nor the golden set contain; `accuracy_before` by serving the
champion of before in a throw-away pod.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from examples.demo.artefacts import service_ip
from examples.demo.ask import accuracy
from examples.demo.install import connect
from examples.demo.settings import Scenario, Settings
from examples.demo.shell import Kubectl, until
from examples.demo.stored import lost, read, secret, store_of
from examples.demo.world import World, held_out

POD = "verify-previous"


def verify(settings: Settings) -> int:
    claimed = json.loads((settings.out / "result.json").read_text(encoding="utf-8"))
    kubectl = connect()
    loop = kubectl.get("feedbackloop", settings.loop)
    if loop is None:
        raise SystemExit(
            f"FeedbackLoop {settings.loop} is not there; run `make demo SCENARIO={settings.scenario}` first"
        )
    measured = {"lost": lost(settings.out / "acknowledged.jsonl", read(store_of(kubectl, settings, loop)))}
    if settings.scenario is not Scenario.PANDALM:
        measured |= accuracies(settings, kubectl, loop)
    print(json.dumps({"claimed": {key: claimed.get(key) for key in measured}, "measured": measured}))
    return 1 if measured["lost"] else 0


def accuracies(settings: Settings, kubectl: Kubectl, loop: dict[str, Any]) -> dict[str, Any]:
    world = World()
    if settings.scenario is Scenario.REGRESSION:
        world.turn()
    questions = held_out("verify")
    token = secret(kubectl, "app-token")["token"].decode()
    url = f"http://{service_ip(kubectl, f'{settings.loop}-gateway')}:8080"
    after = asyncio.run(accuracy(url, token, questions, world))
    previous = loop["status"].get("previous")
    if previous is None:  # nothing was promoted: what was served before is served still
        before = asyncio.run(accuracy(url, token, questions, World()))
    else:
        with throw_away_pod(kubectl, previous) as address:
            before = asyncio.run(accuracy(address, None, questions, World()))
    return {"accuracy_before": round(before, 4), "accuracy_after": round(after, 4)}


@contextmanager
def throw_away_pod(kubectl: Kubectl, model: dict[str, str]) -> Iterator[str]:
    """A pod like the target's, with another model; its address while the block lasts."""
    deployment = kubectl.get("deployment", "support-bot")
    assert deployment is not None
    kubectl("apply", "-f", "-", stdin=json.dumps(pod_with(deployment["spec"]["template"], model)))
    try:
        kubectl.wait("--for=condition=Ready", f"pod/{POD}", timeout=180)
        pod = until(lambda: kubectl.get("pod", POD), what="the throw-away pod")
        yield f"http://{pod['status']['podIP']}:8000"
    finally:
        kubectl("delete", "pod", POD, "--grace-period=1", "--ignore-not-found")


def pod_with(template: dict[str, Any], model: dict[str, str]) -> dict[str, Any]:
    spec = copy.deepcopy(template["spec"])
    for container in [*spec.get("initContainers", []), *spec["containers"]]:
        for variable in container.get("env", []):
            if variable["name"] == "MODEL_URI":
                variable["value"] = model["uri"]
            if variable["name"] == "MODEL_DIGEST":
                variable["value"] = model["digest"]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": POD}, "spec": spec}
