"""`feedbackloop approve|reject|pause|resume|promote|abort|retry RUN`: ask something of a run, in one's own name."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from pydantic import ValidationError

from feedbackloop.api import API_VERSION
from feedbackloop.api.improvementrun import ImprovementRunStatus
from feedbackloop.api.rolloutaction import Action, ActionResult, RolloutActionSpec, RolloutActionStatus
from feedbackloop.cli import kubectl
from feedbackloop.cli.kubectl import ACTIONS, RUNS, Json, KubectlError

if TYPE_CHECKING:
    from feedbackloop.cli.main import Commands

MOST_GROUPS = 32
ASK_SECONDS = 0.5
AT_A_STEP = frozenset({Action.APPROVE, Action.REJECT, Action.PROMOTE})
"""They mean the step that is under way now, not one that follows while the wish is on its way."""
VERBS = {
    "approve": (Action.APPROVE, "say yes to the candidate at its approval step"),
    "reject": (Action.REJECT, "say no to the candidate at its approval step: it is taken back"),
    "pause": (Action.PAUSE, "freeze the steps where they are; guardrails still abort"),
    "resume": (Action.RESUME, "go on after a pause"),
    "promote": (Action.PROMOTE, "end the pause that is under way; with --full skip all steps"),
    "abort": (Action.ABORT, "take the candidate back"),
    "retry": (Action.RETRY, "roll the candidate of a run that has ended out again, with fresh evidence"),
}


def register(commands: Commands) -> None:
    for name, (action, text) in VERBS.items():
        parser = commands.add_parser(name, help=text)
        parser.description = f"{text[0].upper()}{text[1:]}. It makes a RolloutAction; docs/actions.md has the rights."
        parser.add_argument("run_name", metavar="RUN", help="the ImprovementRun")
        parser.add_argument("-n", "--namespace", default="", help="the run's namespace (kubectl's current one)")
        parser.add_argument("--comment", default="", help="why, for the record; at most 500 characters")
        parser.add_argument("--wait", type=float, default=30.0, metavar="SECONDS", help="for the answer (30)")
        if action is Action.PROMOTE:
            parser.add_argument("--full", action="store_true", help="skip all steps; baking is still awaited")
        parser.set_defaults(action=action, run=_command)


def _command(wanted: argparse.Namespace) -> int:
    """0 when it was done, 1 when it was void or nobody answered, 2 when it could not be asked."""
    action = Action.PROMOTE_FULL if getattr(wanted, "full", False) else wanted.action
    try:
        body = action_object(wanted, action)
        name = str(kubectl.create(body, wanted.namespace)["metadata"]["name"])
        status = answered(name, wanted.namespace, wanted.wait)
    except KubectlError as error:
        print(f"feedbackloop: {error}", file=sys.stderr)
        return 2
    return _told(action, wanted.run_name, name, status)


def action_object(wanted: argparse.Namespace, action: Action) -> Json:
    """The RolloutAction, bound to the candidate (and the step) of this moment."""
    run = kubectl.get(RUNS, wanted.run_name, wanted.namespace)
    if run is None:
        raise KubectlError(f"there is no ImprovementRun {wanted.run_name} in this namespace")
    status = ImprovementRunStatus.model_validate(run.get("status") or {})
    user, groups = kubectl.whoami()
    spec = {
        "runName": wanted.run_name,
        "action": action.value,
        "user": user,
        "groups": _groups(groups),
        "comment": wanted.comment,
        **_bound(action, status),
    }
    metadata = {"generateName": f"{wanted.run_name[:200]}-{action.value.lower()}-"}
    return {"apiVersion": API_VERSION, "kind": "RolloutAction", "metadata": metadata, "spec": _checked(spec)}


def _groups(groups: tuple[str, ...]) -> list[str]:
    """As many as an action may name; those of people before those of the system."""
    return sorted(groups, key=lambda g: g.startswith("system:"))[:MOST_GROUPS]


def _bound(action: Action, status: ImprovementRunStatus) -> Json:
    bound: Json = {}
    if status.candidate is not None:
        bound["digest"] = status.candidate.digest
    if action in AT_A_STEP and status.rollout is not None:
        bound["stepIndex"] = status.rollout.step_index
    if action in (Action.APPROVE, Action.REJECT) and len(bound) < 2:
        raise KubectlError("the run does not roll out a candidate: there is nothing to approve yet")
    return bound


def _checked(spec: Json) -> Json:
    try:
        return RolloutActionSpec.model_validate(spec).to_wire()
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise KubectlError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def answered(name: str, namespace: str, seconds: float) -> RolloutActionStatus:
    """Its status once it has a result, or as it is at the end of the wait."""
    end = time.monotonic() + seconds
    while True:
        body = kubectl.get(ACTIONS, name, namespace) or {}
        status = RolloutActionStatus.model_validate(body.get("status") or {})
        if status.result is not None or time.monotonic() >= end:
            return status
        time.sleep(ASK_SECONDS)


def _told(action: Action, run: str, name: str, status: RolloutActionStatus) -> int:
    if status.result is ActionResult.DONE:
        print(f"{action.value} {run}: {status.message or 'done'}")
        return 0
    why = status.message if status.result else f"the operator has not answered yet; it is asked for by {name}"
    print(f"feedbackloop: {action.value} {run}: {why}", file=sys.stderr)
    return 1
