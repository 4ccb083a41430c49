"""What is observed about each concern of a loop; messages hold no counts, so that they change only with the fact."""

from __future__ import annotations

from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.evaluation import Suite
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, SuiteLooks
from feedbackloop.domain import naming
from feedbackloop.domain.children import target as targets
from feedbackloop.domain.findings import Finding
from feedbackloop.domain.lifecycle.loop_models import short
from feedbackloop.domain.lifecycle.loop_observation import LoopObservation
from feedbackloop.domain.lifecycle.loop_replicas import ready_replicas

KEY_SERVICE = "KeyServiceUnavailable"
"""The class of an error, as gateways tell it."""
_PASSING = frozenset({"Overloaded", "Draining", "Recovering"})
"""Reasons for which a log takes nothing that pass by themselves within moments."""


def target_adopted(
    seen: LoopObservation, spec: FeedbackLoopSpec, *, digest: str, applied: bool, promoting: bool
) -> Finding:
    """Whether every pod of the target is ready and reports the champion; `applied`: its template says so already."""
    name, wanted = spec.target.deployment_name, short(digest)
    if seen.adoption_conflict is not None:
        return _target(False, seen.adoption_conflict.reason, seen.adoption_conflict.message)
    pods = seen.target_pods
    if not applied or pods.digests - {digest}:
        reason = Reason.UPDATING_TARGET if promoting else Reason.ADOPTING
        return _target(False, reason, f"the pods of Deployment {name} restart once, to serve model {wanted}")
    wanted_pods = targets.replicas(seen.target) if seen.target else 0
    if wanted_pods == 0 or pods.ready < max(wanted_pods, pods.total):
        message = f"not every pod of Deployment {name} is ready with model {wanted}"
        return _target(False, Reason.TARGET_UNAVAILABLE, message)
    return _target(True, Reason.ADOPTED, f"every pod of Deployment {name} serves model {wanted}")


def _target(status: bool, reason: Reason, message: str) -> Finding:
    return Finding(ConditionType.TARGET_ADOPTED, status, reason, message)


def collection_ready(seen: LoopObservation, replicas: int) -> Finding:
    """Whether the gateway takes feedback, in every pod: the sessions of one that is away have no owner."""
    if ready_replicas(seen) < replicas:
        what = "the gateway's pod is not ready yet" if replicas == 1 else "not every pod of the gateway is ready yet"
        return _starting(what, seen.gateway_waits)
    if seen.gateways is None:
        return _collection(False, Reason.GATEWAY_UNAVAILABLE, "the gateway's admin port does not answer")
    if any(g.drained for g in seen.gateways):
        return _collection(False, Reason.GATEWAY_STARTING, "the gateway's pod is being replaced")
    refusals = sorted({g.log_error for g in seen.gateways if g.log_error and g.log_error not in _PASSING})
    if refusals:
        message = (
            f"a gateway pod can store nothing ({', '.join(refusals)}): feedback gets 503 there until that is mended"
        )
        return _collection(False, Reason.LOG_UNAVAILABLE, message)
    service = f"{naming.gateway(seen.loop.ref.name)}.{seen.loop.ref.namespace}.svc"
    return _collection(True, Reason.COLLECTING, f"the gateway takes requests and feedback at {service}")


def _starting(what: str, waits: str) -> Finding:
    """With what the pod itself says, when it says something."""
    if waits.startswith(KEY_SERVICE):
        return _collection(False, Reason.KEY_SERVICE_UNAVAILABLE, f"{what}: {waits.removeprefix(f'{KEY_SERVICE}: ')}")
    return _collection(False, Reason.GATEWAY_STARTING, f"{what}: it waits, {waits}" if waits else what)


def _collection(status: bool, reason: Reason, message: str) -> Finding:
    return Finding(ConditionType.COLLECTION_READY, status, reason, message)


def storage_reachable(seen: LoopObservation) -> Finding:
    """Whether uploads succeed; while they fail, events wait on the gateway's volume."""
    if seen.gateways is None:
        return Finding(ConditionType.STORAGE_REACHABLE, None, Reason.GATEWAY_UNAVAILABLE, "the gateway does not answer")
    errors = sorted({g.storage_error for g in seen.gateways if g.storage_error})
    if KEY_SERVICE in errors:
        message = "the service of the root key does not answer; accepted events wait on the gateway's volume"
        return Finding(ConditionType.STORAGE_REACHABLE, False, Reason.KEY_SERVICE_UNAVAILABLE, message)
    if errors:
        message = f"uploads fail with {', '.join(errors)}; accepted events wait on the gateway's volume"
        return Finding(ConditionType.STORAGE_REACHABLE, False, Reason.STORAGE_UNAVAILABLE, message)
    return Finding(ConditionType.STORAGE_REACHABLE, True, Reason.REACHABLE, "uploads succeed")


def keys_erasable(seen: LoopObservation, spec: FeedbackLoopSpec) -> tuple[Finding, ...]:
    """Whether a destroyed key is gone for good; nothing while nobody knows, so that the last finding stands."""
    if seen.keys_versioned is None:
        return ()
    field = "spec.encryption.keysBucket" if spec.encryption.keys_bucket else "spec.storage.bucket"
    bucket = spec.encryption.keys_bucket or spec.storage.bucket
    if seen.keys_versioned:
        message = (
            f"{field}: bucket {bucket} keeps old versions, from which destroyed keys could be brought back; name a"
            " bucket in spec.encryption.keysBucket on which versioning was never enabled"
        )
        return (Finding(ConditionType.KEYS_ERASABLE, False, Reason.KEYS_BUCKET_VERSIONED, message),)
    return (Finding(ConditionType.KEYS_ERASABLE, True, Reason.UNVERSIONED, f"bucket {bucket} keeps no old versions"),)


def suites_fresh(spec: FeedbackLoopSpec, looks: tuple[SuiteLooks, ...]) -> Finding | None:
    """Whether a set of items has decided more often than its refresh policy says; None while none was counted."""
    suites = {s.name: s for s in spec.evaluation.suites} if spec.evaluation else {}
    counted = [(suites[entry.suite], entry) for entry in looks if entry.suite in suites]
    now = [(suite, entry) for suite, entry in counted if suite.source.digest in (None, entry.digest)]
    if not now:
        return None
    used = sorted(_used_up(suite, entry) for suite, entry in now if entry.looks >= suite.refresh.looks)
    if used:
        return Finding(ConditionType.SUITES_FRESH, False, Reason.SUITE_EXHAUSTED, "; ".join(used))
    return Finding(ConditionType.SUITES_FRESH, True, Reason.FRESH, "every set of items may decide again")


def _used_up(suite: Suite, entry: SuiteLooks) -> str:
    allowed = suite.refresh.looks
    return f"suite {suite.name} has decided {entry.looks} times, its refresh policy allows {allowed}: give it new items"
