"""What keeps a loop from running until a person acts: small named checks in a row; the first that fails is told.

A check never reads anything: what it judges was observed before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from feedbackloop.api import LABEL_LOOP
from feedbackloop.api.adminconfig import AdminConfig, EndpointType
from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.feedbackloop import FeedbackLoopSpec
from feedbackloop.domain import naming
from feedbackloop.domain.children import target as targets
from feedbackloop.domain.children.canary import pod_labels
from feedbackloop.domain.children.common import Json
from feedbackloop.domain.children.encryption import named_endpoint
from feedbackloop.domain.children.gateway.workload import ANNOTATION_LOOP_UID
from feedbackloop.domain.findings import Finding
from feedbackloop.domain.lifecycle.loop_observation import Child, LoopObservation
from feedbackloop.domain.lifecycle.loop_router import taken_by
from feedbackloop.domain.traffic.ownership import owned
from feedbackloop.domain.traffic.replicas import refusal

Check = Callable[[LoopObservation, FeedbackLoopSpec, AdminConfig], Finding | None]


def stalled(reason: Reason, message: str) -> Finding:
    """The finding that a person must act."""
    return Finding(ConditionType.STALLED, True, reason, message)


def unready(seen: LoopObservation, admin: AdminConfig) -> Finding | None:
    """Why our objects cannot even be rendered."""
    if seen.loop.spec is None:
        return stalled(Reason.INVALID_SPEC, seen.loop.spec_error)
    return _first(_RENDERABLE, seen, seen.loop.spec, admin)


def unfit(seen: LoopObservation, admin: AdminConfig) -> Finding | None:
    """Why a loop that could be rendered must not be started."""
    if seen.loop.spec is None:
        return stalled(Reason.INVALID_SPEC, seen.loop.spec_error)
    return _first(_FIT, seen, seen.loop.spec, admin) or seen.adoption_conflict


def _first(
    checks: tuple[Check, ...], seen: LoopObservation, spec: FeedbackLoopSpec, admin: AdminConfig
) -> Finding | None:
    findings = (check(seen, spec, admin) for check in checks)
    return next((f for f in findings if f is not None), None)


def endpoints_are_known(seen: LoopObservation, spec: FeedbackLoopSpec, admin: AdminConfig) -> Finding | None:
    key = named_endpoint(spec.encryption.key)
    named = (
        ("spec.storage.endpointName", spec.storage.endpoint_name, EndpointType.S3),
        ("spec.models.endpointName", spec.models.endpoint_name, EndpointType.S3),
        ("spec.registry.endpointName", spec.registry.endpoint_name, EndpointType.MLFLOW),
        *((key,) if key else ()),
    )
    for field, name, type_ in named:
        if admin.endpoint(name, type_) is None:
            known = [e.name for e in admin.endpoints if e.type == type_]
            return stalled(Reason.UNKNOWN_ENDPOINT, f"{field}: {_unknown(name, f'{type_.value} endpoint', known)}")
    return None


def profiles_are_known(seen: LoopObservation, spec: FeedbackLoopSpec, admin: AdminConfig) -> Finding | None:
    for improvement in spec.improvements:
        name = improvement.training.profile_name
        if admin.profile(name) is None:
            field = f"spec.improvements[{improvement.name}].training.profileName"
            known = [p.name for p in admin.profiles]
            return stalled(Reason.UNKNOWN_PROFILE, f"{field}: {_unknown(name, 'profile', known)}")
    return None


def _unknown(name: str, what: str, known: list[str]) -> str:
    choice = f"use one of {', '.join(sorted(known))}" if known else "there is none"
    return f"the admin's file has no {what} {name}; {choice}, or ask the admin to add it"


def target_exists(seen: LoopObservation, spec: FeedbackLoopSpec, admin: AdminConfig) -> Finding | None:
    if seen.target is not None:
        return None
    name = spec.target.deployment_name
    message = (
        f"spec.target.deploymentName: there is no Deployment {name} in this namespace; create it or correct the name"
    )
    return stalled(Reason.TARGET_NOT_FOUND, message)


def target_has_the_container(seen: LoopObservation, spec: FeedbackLoopSpec, admin: AdminConfig) -> Finding | None:
    if seen.target is None or targets.container(seen.target, spec.target.model_container):
        return None
    message = (
        f"spec.target.modelContainer: Deployment {spec.target.deployment_name} has no container"
        f" {spec.target.model_container}; it has {', '.join(targets.container_names(seen.target))}"
    )
    return stalled(Reason.TARGET_CONTAINER_NOT_FOUND, message)


def target_has_the_port(seen: LoopObservation, spec: FeedbackLoopSpec, admin: AdminConfig) -> Finding | None:
    wanted = spec.target
    if seen.target is None or targets.port_number(seen.target, wanted.model_container, wanted.port):
        return None
    message = (
        f"spec.target.port: container {wanted.model_container} of Deployment {wanted.deployment_name} has no port"
        f" named {wanted.port}; give its containerPort that name"
    )
    return stalled(Reason.TARGET_PORT_NOT_FOUND, message)


def target_is_not_taken(seen: LoopObservation, spec: FeedbackLoopSpec, admin: AdminConfig) -> Finding | None:
    """The older loop wins; the younger one takes over when the older is gone."""
    mine = (seen.loop.created, seen.loop.ref.uid)
    rivals = [o for o in seen.others if o.target == spec.target.deployment_name and (o.created, o.uid) < mine]
    if not rivals:
        return None
    message = (
        f"spec.target.deploymentName: Deployment {spec.target.deployment_name} belongs to the older loop"
        f" {min(r.name for r in rivals)}; delete that one or name another Deployment"
    )
    return stalled(Reason.TARGET_OWNED_BY_OTHER_LOOP, message)


def route_is_not_taken(seen: LoopObservation, spec: FeedbackLoopSpec, admin: AdminConfig) -> Finding | None:
    """One rule has one writer: the older loop."""
    declared = spec.rollout.traffic_routing if spec.rollout else None
    rival = taken_by(seen, declared) if declared else None
    if declared is None or rival is None:
        return None
    message = (
        f"spec.rollout.trafficRouting: {owned(declared)} belongs to the older loop {rival}; delete that one or name"
        " another"
    )
    return stalled(Reason.ROUTE_OWNED_BY_OTHER_LOOP, message)


def replicas_can_give_the_weights(seen: LoopObservation, spec: FeedbackLoopSpec, admin: AdminConfig) -> Finding | None:
    """Before anything is trained: a step that the replicas cannot give would never be reached."""
    declared = spec.rollout.traffic_routing.replicas if spec.rollout else None
    if spec.rollout is None or declared is None or seen.target is None:
        return None
    weights = [step.set_weight for step in spec.rollout.steps if step.set_weight is not None]
    text = refusal(targets.replicas(seen.target), weights, Fraction(declared.max_share_error))
    return stalled(Reason.WEIGHT_NOT_ACHIEVABLE, f"spec.rollout.{text}") if text else None


def router_is_served(seen: LoopObservation, spec: FeedbackLoopSpec, admin: AdminConfig) -> Finding | None:
    """A loop must not wait for traffic that nobody sends to its canary."""
    declared = spec.rollout.traffic_routing if spec.rollout else None
    if declared is None or (declared.kserve is None and declared.replicas is None):
        return None
    what = "kserve" if declared.kserve is not None else "replicas"
    message = (
        f"spec.rollout.trafficRouting.{what}: this version checks it and does not split by it yet; declare gateway or"
        " gatewayAPI"
    )
    return stalled(Reason.NOT_SERVED_YET, message)


def canary_is_not_selected(seen: LoopObservation, spec: FeedbackLoopSpec, admin: AdminConfig) -> Finding | None:
    """Traffic that another Service sends to canary pods would be neither weighted nor counted."""
    if spec.rollout is None or seen.target is None:
        return None
    labels = pod_labels(seen.loop.ref, seen.target)
    selecting = sorted(s["metadata"]["name"] for s in seen.services if _selects(s, labels, seen.loop.ref.name))
    if not selecting:
        return None
    message = (
        f"Service {', '.join(selecting)} would send traffic to canary pods; add one of the labels"
        f" {', '.join(sorted(targets.selector_keys(seen.target)))} of Deployment {spec.target.deployment_name}"
        " to its selector"
    )
    return stalled(Reason.CANARY_SELECTED_BY_SERVICE, message)


def _selects(service: Json, labels: dict[str, str], loop: str) -> bool:
    selector = service.get("spec", {}).get("selector") or {}
    ours = service["metadata"]["name"] == naming.canary(loop)
    return bool(selector) and not ours and selector.items() <= labels.items()


def names_are_free(seen: LoopObservation, spec: FeedbackLoopSpec, admin: AdminConfig) -> Finding | None:
    for child in _strangers(seen):
        message = (
            f"{child.kind} {child.name} exists and does not belong to this loop; delete or rename it,"
            " or give the loop another name"
        )
        return stalled(Reason.NAME_CONFLICT, message)
    return None


def _strangers(seen: LoopObservation) -> Iterator[Child]:
    """Objects under our children's names that are neither ours nor left behind by a former loop of our name."""
    for child, live in seen.children.items():
        if not belongs(seen, live) and not is_leftover(seen, live):
            yield child


def belongs(seen: LoopObservation, live: Json) -> bool:
    """Whether this loop made the object; the log's claim, which has no owner, says so itself."""
    meta = live["metadata"]
    owners = {o.get("uid") for o in meta.get("ownerReferences", ())}
    return seen.loop.ref.uid in owners or meta.get("annotations", {}).get(ANNOTATION_LOOP_UID) == seen.loop.ref.uid


def is_leftover(seen: LoopObservation, live: Json) -> bool:
    """Whether the object goes by itself: a former loop of our name owned it, so the garbage collector has it next."""
    meta = live["metadata"]
    owners = {o.get("kind") for o in meta.get("ownerReferences", ())}
    ours_by_name = meta.get("labels", {}).get(LABEL_LOOP) == seen.loop.ref.name
    return ours_by_name and ("FeedbackLoop" in owners or "deletionTimestamp" in meta)


def leftovers(seen: LoopObservation) -> list[Child]:
    """What a former loop of our name has left and is still there."""
    return sorted(c for c, live in seen.children.items() if not belongs(seen, live) and is_leftover(seen, live))


_RENDERABLE: tuple[Check, ...] = (
    endpoints_are_known,
    target_exists,
    target_has_the_container,
    target_has_the_port,
)
_FIT: tuple[Check, ...] = (
    *_RENDERABLE,
    profiles_are_known,
    target_is_not_taken,
    route_is_not_taken,
    replicas_can_give_the_weights,
    router_is_served,
    names_are_free,
    canary_is_not_selected,
)
