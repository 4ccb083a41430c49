"""`feedbackloop rollback LOOP`: go back to the champion of before.

What is declared is what shall serve, so a rollback is a change of `spec.target.model`: this command prints the
patches, for whoever keeps the loop in git, and applies them on request. Where the declaration names the former
model already (nobody changed it when a run promoted another), a second declaration of the same would say nothing:
then the model that serves is declared first.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING

from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, Model, ModelStatus
from feedbackloop.api.improvementrun import ImprovementRunStatus
from feedbackloop.cli import kubectl
from feedbackloop.cli.kubectl import LOOPS, RUNS, Json, KubectlError

if TYPE_CHECKING:
    from feedbackloop.cli.main import Commands

OBSERVED_SECONDS, ASK_SECONDS = 60.0, 0.5


def register(commands: Commands) -> None:
    parser = commands.add_parser("rollback", help="declare the champion of before")
    parser.description = "Print the patches of spec.target.model that bring a former champion back at once."
    parser.add_argument("loop", metavar="LOOP", help="the FeedbackLoop")
    parser.add_argument("-n", "--namespace", default="", help="the loop's namespace (kubectl's current one)")
    parser.add_argument("--to", default="", metavar="DIGEST", help="a former champion; the last one when not given")
    parser.add_argument("--apply", action="store_true", help="also apply them, one after the other")
    parser.set_defaults(run=_command)


def _command(wanted: argparse.Namespace) -> int:
    """0 when there is a way back, 2 when there is none or it could not be gone."""
    try:
        patches = steps(wanted)
        for patch in patches:
            print(_words(wanted, patch))
            if wanted.apply:
                _apply(wanted, patch)
    except KubectlError as error:
        print(f"feedbackloop: {error}", file=sys.stderr)
        return 2
    if not wanted.apply:
        print("# declare it in git too, or the next sync brings the present model back", file=sys.stderr)
    return 0


def steps(wanted: argparse.Namespace) -> list[Json]:
    """The patches, in order."""
    body = kubectl.get(LOOPS, wanted.loop, wanted.namespace)
    if body is None:
        raise KubectlError(f"there is no FeedbackLoop {wanted.loop} in this namespace")
    spec = FeedbackLoopSpec.model_validate(body["spec"])
    status = FeedbackLoopStatus.model_validate(body.get("status") or {})
    champion, former = status.champion, _former(wanted, spec, status)
    if champion is None or former.digest == champion.digest:
        raise KubectlError(f"{former.digest} is the champion already")
    declared_already = spec.target.model == former
    first = [Model(uri=champion.uri, digest=champion.digest)] if declared_already else []
    return [_patch(model) for model in (*first, former)]


def _former(wanted: argparse.Namespace, spec: FeedbackLoopSpec, status: FeedbackLoopStatus) -> Model:
    known = _known(wanted, spec, status)
    if not wanted.to and status.previous is None:
        raise KubectlError("no model was champion before this one; name one with --to")
    digest = wanted.to or (status.previous.digest if status.previous else "")
    found = known.get(digest)
    if found is None:
        names = ", ".join(sorted(known)) or "none is known"
        raise KubectlError(f"--to: no former champion has the digest {digest}; {names}")
    return found


def _known(wanted: argparse.Namespace, spec: FeedbackLoopSpec, status: FeedbackLoopStatus) -> dict[str, Model]:
    """Models by digest: the declared one, the previous one, and those of promotions whose runs are there."""
    models = {spec.target.model.digest: spec.target.model}
    if status.previous is not None:
        models[status.previous.digest] = _model(status.previous)
    for promotion in status.promotions if wanted.to and wanted.to not in models else ():
        run = kubectl.get(RUNS, promotion.run_name, wanted.namespace) or {}
        candidate = ImprovementRunStatus.model_validate(run.get("status") or {}).candidate
        if candidate is not None:
            models[candidate.digest] = _model(candidate)
    return models


def _model(status: ModelStatus) -> Model:
    return Model(uri=status.uri, digest=status.digest)


def _patch(model: Model) -> Json:
    return {"spec": {"target": {"model": model.to_wire()}}}


def _words(wanted: argparse.Namespace, patch: Json) -> str:
    flags = "".join(f"{word} " for word in kubectl.flags(wanted.namespace))
    return f"kubectl {flags}patch {LOOPS} {wanted.loop} --type=merge -p '{json.dumps(patch)}'"


def _apply(wanted: argparse.Namespace, patch: Json) -> None:
    """And wait until the operator has acted on it: a declaration that nobody saw is no declaration."""
    kubectl.patch(LOOPS, wanted.loop, patch, wanted.namespace)
    end = time.monotonic() + OBSERVED_SECONDS
    while not _observed(wanted):
        if time.monotonic() >= end:
            raise KubectlError(f"the operator has not seen the change within {OBSERVED_SECONDS:g} s")
        time.sleep(ASK_SECONDS)


def _observed(wanted: argparse.Namespace) -> bool:
    body = kubectl.get(LOOPS, wanted.loop, wanted.namespace) or {}
    wanted_generation = body.get("metadata", {}).get("generation", 0)
    return bool(body.get("status", {}).get("observedGeneration", 0) >= wanted_generation)
