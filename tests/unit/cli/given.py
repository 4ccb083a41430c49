"""Objects as the API server gives them, for the command line."""

from __future__ import annotations

from typing import Any

from feedbackloop.domain import naming
from tests.support import loops

Json = dict[str, Any]
RUN = "support-bot-finetune-1"
SINCE = "2026-11-24T10:00:00Z"
STEPS: list[Json] = [
    {"setWeight": 10},
    {"analysis": {"outcomeNames": ["downvotes"], "until": "Decision"}},
    {"approval": {"minApprovals": 2, "groups": ["ml-owners"]}},
]


def model(letter: str, **more: str) -> Json:
    return {"uri": f"s3://models/{letter}/", "digest": f"sha256:{letter * 64}", "short": letter * 12, **more}


def spec() -> Json:
    made = loops.spec_json()
    made["rollout"]["steps"] = STEPS
    return made


def condition(type_: str, status: str, reason: str, message: str = "") -> Json:
    return {"type": type_, "status": status, "reason": reason, "message": message, "lastTransitionTime": SINCE}


def run(**status: Any) -> Json:
    """A run that waits for its approval."""
    full = {
        "stage": "RollingOut",
        "message": "1 of 2 people have approved",
        "startedAt": SINCE,
        "inputs": {"loopUid": "u", "champion": model("a"), "cut": [], "pinnedSpec": naming.canonical_json(spec())},
        "candidate": model("b", runName=RUN),
        "stages": [{"name": "curate", "runId": "c", "state": "Succeeded", "startedAt": SINCE, "finishedAt": SINCE}],
        "gates": [gate("golden", "Successful"), gate("polite", "Inconclusive", effect="Advisory", message="too few")],
        "rollout": rollout(),
        "conditions": [
            condition("Reconciling", "True", "ApprovalPending"),
            condition("Paused", "False", "Running"),
            condition("SampleRatioOK", "False", "SampleRatioMismatch", "canary 430 of 1231 units"),
        ],
        "decisions": [{"at": SINCE, "what": "NonInferior", "why": "downvotes: e-value 22.2"}],
        **status,
    }
    return {"metadata": {"name": RUN}, "spec": {"loopName": "bot", "improvementName": "finetune"}, "status": full}


def gate(name: str, verdict: str, **more: str) -> Json:
    counts = {"n": 200, "both": 180, "onlyChampion": 3, "onlyCandidate": 9}
    return {"name": name, "verdict": verdict, "type": "NonInferiority", "estimate": "0.03", **counts, **more}


def rollout(**changes: Any) -> Json:
    outcome = {
        "name": "downvotes",
        "verdict": "Successful",
        "harmEValue": "0.41",
        "nonInferiorityEValue": "22.2",
        "stable": {"units": 620, "rated": 310, "events": 31},
        "canary": {"units": 611, "rated": 300, "events": 29},
        "estimate": "0.95",
        "lower": "0.61",
        "upper": "1.5",
    }
    approval = {"stepIndex": 2, "digest": model("b")["digest"], "user": "bob", "at": SINCE, "approved": True}
    return {
        "startedAt": SINCE,
        "salt": "s",
        "stepIndex": 2,
        "weight": 10,
        "epoch": 1,
        "canaryReplicas": 1,
        "outcomes": [outcome],
        "plan": [{"outcome": "downvotes", "message": "5200 sessions, 3.2 days"}],
        "approvals": [approval],
        **changes,
    }


def loop(**status: Any) -> Json:
    full = {
        "observedGeneration": 1,
        "stage": "RollingOut",
        "champion": model("a", since=SINCE, runName="support-bot-finetune-0"),
        "previous": model("c", since=SINCE),
        "activeRunName": RUN,
        "conditions": [condition("Ready", "True", "AsDeclared", "it collects")],
        "lifetime": {"decisions": 4, "promotions": 2, "nextLevel": "0.009"},
        **status,
    }
    return {"metadata": {"name": "bot", "generation": 1}, "spec": spec(), "status": full}
