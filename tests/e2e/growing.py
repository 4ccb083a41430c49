"""A running loop gets another gateway pod: sessions spread over both, and one of them is killed."""

from __future__ import annotations

import json
import random
import time
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import urllib3

from examples.demo.drive import gateway
from examples.demo.settings import Settings
from examples.demo.shell import Kubectl, until
from examples.demo.stored import Store, whole_log
from examples.demo.users import TEMPLATE, Endpoints, chat
from feedbackloop.events import store as log
from feedbackloop.events.records import FeedbackRecord

Json = dict[str, Any]


def grow(kubectl: Kubectl, loop: str, replicas: int) -> None:
    """Declares so many pods, and waits until all of them own sessions."""
    patch = json.dumps({"spec": {"collection": {"replicas": replicas}}})
    kubectl("patch", "feedbackloop", loop, "--type=merge", "-p", patch)
    until(lambda: owners(kubectl, loop) == replicas, what=f"{replicas} gateway pods to own sessions", seconds=180)
    kubectl("wait", "--for=condition=Ready", f"feedbackloop/{loop}", "--timeout=180s")


def owners(kubectl: Kubectl, loop: str) -> int:
    found = kubectl.get("configmap", f"{loop}-gateway")
    return int(json.loads((found or {})["data"]["config.json"])["collection"].get("replicas", 1))


@dataclass
class Voters:
    """One turn and one vote a session, repeated with the same id until it is acknowledged."""

    endpoints: Endpoints
    votes: dict[str, str] = field(default_factory=dict)
    """Event ids by session."""
    _http: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(retries=False, timeout=30))

    def vote(self, count: int) -> None:
        """Each on a connection of its own, so that the Service spreads them over the pods."""
        for _ in range(count):
            session, event_id = f"grown-{uuid.uuid4().hex}", str(uuid.uuid4())
            token = self._repeated(lambda s=session: self._ask(s)).headers["x-feedback-token"]
            event = {"event_id": event_id, "signal": "helpful", "value": random.random() < 0.5}
            self._repeated(lambda t=token, e=event: self._post(f"{self.endpoints.feedback}/v1/feedback", e, t))
            self.votes[session] = event_id

    def _ask(self, session: str) -> Any:
        headers = {"X-Session-Id": session, "X-Consent-Train": "true", "X-Prompt-Template": TEMPLATE}
        url = f"{self.endpoints.app}/v1/chat/completions"
        return self._post(url, chat("How long do I have?"), self.endpoints.app_token, headers)

    def _post(self, url: str, body: Json, token: str, headers: dict[str, str] | None = None) -> Any:
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Connection": "close"}
        return self._http.request("POST", url, body=json.dumps(body), headers=sent | (headers or {}))

    @staticmethod
    def _repeated(request: Any, seconds: float = 120) -> Any:
        """Like any client: again while the gateway says 503 or does not answer."""
        end = time.monotonic() + seconds
        while True:
            try:
                answer = request()
                if answer.status in (200, 202):
                    return answer
                assert answer.status == 503, answer.data
            except urllib3.exceptions.HTTPError:
                pass
            assert time.monotonic() < end, "not answered in time"
            time.sleep(0.2)  # what Retry-After is for, shorter


def voters(kubectl: Kubectl, settings: Settings) -> Voters:
    return Voters(gateway(kubectl, settings))


def places(store: Store, wanted: set[str]) -> dict[str, list[str]]:
    """The pods in whose logs each of these events lies."""
    found: dict[str, list[str]] = defaultdict(list)
    for record in log.read_events(store.objects, store.prefix, whole_log(store), store.keys):
        if isinstance(record, FeedbackRecord) and record.event_id in wanted:
            found[record.event_id].append(record.pod)
    return found
