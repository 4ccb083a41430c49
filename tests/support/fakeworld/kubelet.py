"""FakeKubelet: pods become ready, jobs end, by themselves; no node, no container, no wait.

The pods themselves are made by the real controllers. They are never bound to a node, so the API
server deletes them at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feedbackloop.adapters.kinds import CONFIG_MAP, POD
from feedbackloop.adapters.ports import Json, KubernetesPort
from feedbackloop.adapters.requests import Request, Requests
from feedbackloop.api import ANNOTATION_SPEC
from feedbackloop.domain.errors import Gone
from tests.support.clock import FakeClock
from tests.support.fakeworld.jobs import Ending, Outcome, result_of
from tests.support.fakeworld.objects import FakeObjects
from tests.support.fakeworld.state import State

JOB_NAME = "batch.kubernetes.io/job-name"
Script = Mapping[tuple[str, int], Ending]
"""How the attempts of a stage end, by stage and attempt; well and at once unless said otherwise."""


class FakeKubelet:
    def __init__(
        self,
        requests: Requests,
        kubernetes: KubernetesPort,
        clock: FakeClock,
        state: State,
        *,
        script: Script,
        outcome: Outcome,
    ) -> None:
        self._requests = requests
        self._kubernetes = kubernetes
        self._clock = clock
        self._state = state
        self._script = dict(script)
        self._outcome = outcome
        self.holds_canary = False
        """While set, canary pods do not become ready."""

    async def tend(self, namespace: str, pods: list[Json], jobs: list[Json]) -> bool:
        """Look at every pod once; whether anything changed."""
        self._note(jobs)
        changed = [await self._tend(namespace, pod) for pod in pods]
        return any(changed)

    async def _tend(self, namespace: str, pod: Json) -> bool:
        if pod["metadata"].get("deletionTimestamp") or pod["status"]["phase"] != "Pending":
            return False
        labels = pod["metadata"].get("labels", {})
        if JOB_NAME in labels:
            return await self._run_job(namespace, pod)
        if self.holds_canary and labels.get("feedbackloop.dev/arm") == "canary":
            return False
        await self._patch(namespace, pod, _running())
        return True

    async def _run_job(self, namespace: str, pod: Json) -> bool:
        env = {e["name"]: e.get("value", "") for e in pod["spec"]["containers"][0]["env"]}
        stage, attempt = pod["metadata"]["labels"]["feedbackloop.dev/stage"], int(env["FL_ATTEMPT"])
        ending = self._script.get((stage, attempt), Ending())
        now = self._clock.now().timestamp()
        if now < self._state.job_started.setdefault(pod["metadata"]["uid"], now) + ending.seconds:
            return False
        if ending.pod_lost:
            await self._kubernetes.delete(POD, namespace, pod["metadata"]["name"])
            return True
        if ending.leaves_result and ending.exit_code == 0:
            await self._leave_result(namespace, pod, attempt)
        await self._patch(namespace, pod, _ended(ending))
        return True

    async def _leave_result(self, namespace: str, pod: Json, attempt: int) -> None:
        text = await self._spec_file(namespace, pod)
        result = result_of(text, attempt, self._outcome)
        spec = Spec(text)
        FakeObjects(self._state).create(spec.bucket, f"{spec.path}result.json", result.model_dump_json(by_alias=True))

    async def _spec_file(self, namespace: str, pod: Json) -> str:
        """From a ConfigMap, or from an annotation of the pod itself."""
        volume = next(v for v in pod["spec"]["volumes"] if v["name"] == "spec")
        if "downwardAPI" in volume:
            (item,) = volume["downwardAPI"]["items"]
            assert item["fieldRef"]["fieldPath"] == f"metadata.annotations['{ANNOTATION_SPEC}']"
            return str(pod["metadata"]["annotations"][ANNOTATION_SPEC])
        config = await self._kubernetes.get(CONFIG_MAP, namespace, volume["configMap"]["name"])
        assert config is not None
        return str(config["data"]["spec.json"])

    async def _patch(self, namespace: str, pod: Json, status: Json) -> None:
        name = pod["metadata"]["name"]
        body = {"metadata": {"uid": pod["metadata"]["uid"]}, "status": status}
        try:
            await self._requests.send(Request("patch", POD, namespace, name, "status", body=body))
        except Gone:
            return

    def _note(self, jobs: list[Json]) -> None:
        for job in jobs:
            uids = self._state.jobs.setdefault(job["metadata"]["name"], [])
            if job["metadata"]["uid"] not in uids:
                uids.append(job["metadata"]["uid"])
                self._state.changed()


class Spec:
    """Where a spec file says its run's files lie."""

    def __init__(self, text: str) -> None:
        import json

        raw: dict[str, Any] = json.loads(text)
        self.bucket = str(raw["storage"]["bucket"])
        self.path = f"{raw['storage']['prefix']}runs/{raw['runId']}/"


def _running() -> Json:
    conditions = [{"type": t, "status": "True"} for t in ("Ready", "ContainersReady", "PodScheduled", "Initialized")]
    return {"phase": "Running", "conditions": conditions}


def _ended(ending: Ending) -> Json:
    container = {
        "name": "job",
        "image": "fake",
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": {"exitCode": ending.exit_code, "reason": ending.reason}},
    }
    return {"phase": "Succeeded" if ending.exit_code == 0 else "Failed", "containerStatuses": [container]}
