"""The scenarios of the demo on a real node, with everything around them going wrong once."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from examples.demo.drive import drive
from examples.demo.follow import Follower
from examples.demo.install import connect, environment
from examples.demo.narrate import Narrator
from examples.demo.settings import IMAGE, NAMESPACE, Scenario, Settings, cluster_name
from examples.demo.shell import Kubectl, rendered, until
from examples.demo.stored import store_of
from tests.cluster import description
from tests.e2e import disturb, growing, leaks

STAGES = ("Curating", "Training", "Evaluating", "RollingOut")
SEED = 20261124


def result(settings: Settings) -> dict[str, Any]:
    return dict(json.loads((settings.out / "result.json").read_text(encoding="utf-8")))


def run_of(settings: Settings) -> dict[str, Any]:
    return dict(json.loads((settings.out / "run.json").read_text(encoding="utf-8")))


def stage(follower: Follower) -> str:
    return str(follower.run.get("status", {}).get("stage", ""))


@contextlib.contextmanager
def everything_once(kubectl: Kubectl, follower: Follower, narrator: Narrator) -> Iterator[None]:
    """A GitOps controller throughout; S3, MLflow and the API server away once each, at seeded stages."""
    s3_at, mlflow_at, api_at = random.Random(SEED).sample(STAGES, 3)
    trainer = environment("trainer", narrator)
    original = rendered("server.yaml", namespace=NAMESPACE, image=IMAGE, trainer_env=str(trainer))
    threads = [
        disturb.once_at(lambda: stage(follower), s3_at, lambda: disturb.scaled_away(kubectl, "seaweedfs", narrator)),
        disturb.once_at(lambda: stage(follower), mlflow_at, lambda: disturb.scaled_away(kubectl, "mlflow", narrator)),
        disturb.once_at(lambda: stage(follower), api_at, lambda: disturb.api_server_away(cluster_name(), narrator)),
    ]
    with disturb.repeating(lambda: void(kubectl("apply", "-f", "-", stdin=original)), every=5.0):
        yield
    for thread in threads:
        thread.join(timeout=120)


def void(_: object) -> None:
    return None


def test_the_loop_promotes_by_itself_while_gitops_reapplies_and_parts_go_away(cluster: str) -> None:
    settings = Settings(Scenario.PROMOTE)
    assert drive(settings, everything_once) == 0
    line = result(settings)
    assert line["outcome"] == "promoted"
    assert line["lost"] == 0
    assert line["duplicates"] == 0
    assert line["accuracy_after"] >= 0.95 > line["accuracy_before"]


def test_no_private_text_is_in_any_store(cluster: str) -> None:
    kubectl = connect()
    volumes = description.load(cluster).paths.volumes
    assert leaks.found(kubectl, volumes) == []


def test_stable_capacity_never_dropped_and_the_target_was_restarted_twice_only(cluster: str) -> None:
    kubectl = connect()
    deployment = kubectl.get("deployment", "support-bot")
    assert deployment is not None
    replica_sets = json.loads(kubectl("get", "replicasets", "-l", "app=support-bot", "-o", "json"))["items"]
    revisions = {r["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for r in replica_sets}
    assert len(revisions) <= 3, "unadopted, adopted, promoted"


@pytest.mark.parametrize(
    ("scenario", "outcome"), [(Scenario.FORGETFUL, "gated"), (Scenario.REGRESSION, "rolled-back")], ids=str
)
def test_a_candidate_that_hurts_is_stopped(cluster: str, scenario: Scenario, outcome: str) -> None:
    settings = Settings(scenario)
    assert drive(settings) == 0
    line = result(settings)
    assert line["outcome"] == outcome
    assert line["lost"] == 0


def test_a_killed_operator_and_a_killed_gateway_come_back_to_the_same_end(cluster: str) -> None:
    """After the scenarios: the loop is at rest; killing both changes nothing that a user sees."""
    kubectl = connect()
    before = champion(kubectl)
    for pod in pods_of(kubectl, "operator") + pods_of(kubectl, "gateway"):
        kubectl("delete", "pod", pod, "--grace-period=0", "--force")
    kubectl("rollout", "status", "deployment/feedbackloop-operator", "--timeout=180s")
    kubectl("wait", "--for=condition=Ready", "feedbackloop/support-bot", "--timeout=180s")
    assert champion(kubectl) == before


def test_a_loop_grows_and_a_killed_owner_loses_nothing_and_stores_nothing_twice(cluster: str) -> None:
    """The loop of the last scenario, at rest, gets a second gateway pod; then the first one is killed."""
    kubectl, settings = connect(), Settings(Scenario.REGRESSION)
    growing.grow(kubectl, settings.loop, replicas=2)
    voters = growing.voters(kubectl, settings)
    voters.vote(20)
    kubectl("delete", "pod", f"{settings.loop}-gateway-0", "--grace-period=0", "--force")
    voters.vote(20)
    loop = kubectl.get("feedbackloop", settings.loop)
    assert loop is not None
    store, wanted = store_of(kubectl, settings, loop), set(voters.votes.values())
    until(lambda: set(growing.places(store, wanted)) == wanted, what="every vote to be in storage", seconds=120)
    found = growing.places(store, wanted)
    assert all(len(pods) == 1 for pods in found.values()), "each vote is stored once"
    assert {pods[0] for pods in found.values()} == {f"{settings.loop}-gateway-{n}" for n in range(2)}


def champion(kubectl: Kubectl) -> str:
    loop = kubectl.get("feedbackloop", "support-bot")
    assert loop is not None
    return str(loop["status"]["champion"]["digest"])


def pods_of(kubectl: Kubectl, part: str) -> list[str]:
    items = json.loads(kubectl("get", "pods", "-o", "json"))["items"]
    return [p["metadata"]["name"] for p in items if part in p["metadata"]["name"]]


def test_nothing_is_left_behind_by_commands_of_ours(cluster: str) -> None:
    """The driver's watches end with it."""
    done = subprocess.run(["pgrep", "-f", "get feedbackloops.feedbackloop.dev -w"], capture_output=True, check=False)
    assert done.returncode != 0
