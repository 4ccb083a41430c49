"""KServe's released InferenceService CRD on a real API server. No KServe controller can run here: what it would say in
status is played by `LabelledFakeKServe`, from the source of its release 0.20.0; no traffic is split in these tests."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from feedbackloop.api.conditions import Reason
from feedbackloop.domain.traffic import Standing, judge
from feedbackloop.domain.traffic.kserve import (
    MODE,
    Candidate,
    aborted,
    deployment_name,
    desired,
    entry,
    observe,
    promoted,
)
from tests.support.apiserver import ApiServer

Json = dict[str, Any]
CANDIDATE = Candidate("c-1a2b3c4d", "s3://models/support/b", replicas=2)


def service(mode: str = "Standard") -> Json:
    model = {"modelFormat": {"name": "huggingface"}, "storageUri": "s3://models/support/a"}
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "support", "annotations": {MODE: mode}},
        "spec": {"predictor": {"minReplicas": 2, "maxReplicas": 4, "model": model}},
    }


@dataclass
class Cluster:
    server: ApiServer
    namespace: str

    def get(self) -> Json:
        found: Json = json.loads(self._kubectl("get", "inferenceservice", "support", "-o", "json"))
        return found

    def patch(self, patch: Json) -> None:
        self._kubectl("patch", "inferenceservice", "support", "--type=merge", "-p", json.dumps(patch))

    def create(self, body: Json) -> None:
        self._kubectl("create", "-f", "-", stdin=json.dumps(body))

    def _kubectl(self, *words: str, stdin: str | None = None) -> str:
        return self.server.kubectl("-n", self.namespace, *words, stdin=stdin)


class LabelledFakeKServe:
    """What KServe 0.20.0 writes to status for what is in spec: `ready` as soon as one pod is."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def answers(self, *, ready: bool) -> None:
        body = self._cluster.get()
        statuses = [
            {
                "name": e["predictor"]["name"],
                "ready": ready,
                "trafficPercent": e["trafficPercent"],
                "modelStatus": {"transitionStatus": "UpToDate"},
            }
            for e in body["spec"].get("canary", ())
        ]
        status = {"observedGeneration": body["metadata"]["generation"], "canaryStatuses": statuses or None}
        words = ("--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
        self._cluster._kubectl("patch", "inferenceservice", "support", *words)


def deployment(available: int) -> Json:
    return {"metadata": {"generation": 1}, "status": {"observedGeneration": 1, "availableReplicas": available}}


@pytest.fixture
def cluster(server: ApiServer) -> Cluster:
    made = Cluster(server, server.namespace())
    made.create(service())
    return made


def test_a_canary_gets_no_weight_before_every_pod_is_there(cluster: Cluster) -> None:
    kserve = LabelledFakeKServe(cluster)
    for pods, weight in ((None, 0), (0, 0), (1, 0), (2, 10)):
        live = cluster.get()
        cluster.patch(desired(live, CANDIDATE, 10, None if pods is None else deployment(pods)))
        assert [e["trafficPercent"] for e in cluster.get()["spec"]["canary"]] == [weight]
        kserve.answers(ready=bool(pods))
    assert judge(observe(cluster.get(), CANDIDATE, 10), 10).standing is Standing.ACCEPTED


def test_the_canary_is_the_stable_predictor_with_another_model_and_no_scaling(cluster: Cluster) -> None:
    cluster.patch(desired(cluster.get(), CANDIDATE, 10, None))
    (made,) = cluster.get()["spec"]["canary"]
    assert made == entry(cluster.get(), CANDIDATE, 0)
    assert "maxReplicas" not in made["predictor"]
    assert made["predictor"]["model"]["storageUri"] == CANDIDATE.uri
    assert made["predictor"]["model"]["modelFormat"] == {"name": "huggingface"}
    assert deployment_name(cluster.get(), CANDIDATE) == "support-c-1a2b3c4d-predictor"


def test_kserve_is_believed_only_for_the_generation_that_is_there(cluster: Cluster) -> None:
    kserve = LabelledFakeKServe(cluster)
    cluster.patch(desired(cluster.get(), CANDIDATE, 10, deployment(2)))
    kserve.answers(ready=True)
    cluster.patch(desired(cluster.get(), CANDIDATE, 50, deployment(2)))
    assert judge(observe(cluster.get(), CANDIDATE, 50), 50).standing is Standing.WAITING
    kserve.answers(ready=True)
    assert judge(observe(cluster.get(), CANDIDATE, 50), 50).standing is Standing.ACCEPTED


def test_promotion_moves_name_and_model_and_drops_the_entry_in_one_patch(cluster: Cluster) -> None:
    cluster.patch(desired(cluster.get(), CANDIDATE, 50, deployment(2)))
    before = cluster.get()
    cluster.patch(promoted(before, CANDIDATE))
    after = cluster.get()
    assert after["metadata"]["generation"] == before["metadata"]["generation"] + 1
    assert after["spec"].get("canary") is None
    assert after["spec"]["predictor"]["name"] == CANDIDATE.name
    assert after["spec"]["predictor"]["model"]["storageUri"] == CANDIDATE.uri
    assert after["spec"]["predictor"]["maxReplicas"] == 4


def test_an_abort_drops_the_entry_and_nothing_else(cluster: Cluster) -> None:
    before = cluster.get()["spec"]
    cluster.patch(desired(cluster.get(), CANDIDATE, 50, deployment(2)))
    cluster.patch(aborted(cluster.get()))
    assert cluster.get()["spec"] == before


def test_a_write_in_between_is_refused(cluster: Cluster) -> None:
    stale = desired(cluster.get(), CANDIDATE, 10, deployment(2))
    cluster.server.kubectl("-n", cluster.namespace, "annotate", "inferenceservice", "support", "team=ml")
    with pytest.raises(AssertionError, match="the object has been modified"):
        cluster.patch(stale)


def test_a_mode_in_which_kserve_would_not_split_is_refused(server: ApiServer) -> None:
    made = Cluster(server, server.namespace())
    made.create(service(mode="Knative"))
    seen = observe(made.get(), CANDIDATE, 10)
    assert seen.impossible is Reason.ROUTER_NOT_SUPPORTED
    assert "Standard" in seen.message


@pytest.mark.parametrize("weight", [-1, 101])
def test_the_crd_itself_bounds_the_weight(cluster: Cluster, weight: int) -> None:
    with pytest.raises(AssertionError, match="trafficPercent"):
        cluster.patch(desired(cluster.get(), CANDIDATE, weight, deployment(2)))
