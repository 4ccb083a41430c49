"""What the rollout is told of its traffic provider: the router's own word, and the answers that were reported."""

from __future__ import annotations

from dataclasses import replace

from pydantic import ValidationError

from feedbackloop.api.gateway import Arm, GatewayConfig, GatewayStatus, LoopRef, Routing
from feedbackloop.domain.jobs.specs import pinned
from feedbackloop.domain.lifecycle.run_seen import RunSeen
from feedbackloop.domain.traffic import ProviderSeen, RouterSeen, provider_seen
from feedbackloop.domain.traffic.provider import RouterRead, provider


def provider_in(seen: RunSeen, read: RouterRead | None) -> ProviderSeen | None:
    """None when the gateway splits alone: its own report, which `applied` looks at, is all there is to know."""
    rollout, inputs = seen.status.rollout, seen.status.inputs
    declared = pinned(inputs.pinned_spec).rollout if inputs else None
    if rollout is None or inputs is None or declared is None or read is None:
        return None
    loop = LoopRef(namespace=seen.namespace, name=seen.spec.loop_name, uid=inputs.loop_uid)
    routing = written_routing(seen)
    if routing is None:
        return ProviderSeen(epoch=0, message="the gateway's configuration is not written yet")
    before = rollout.provider is not None and rollout.provider.accepted
    router = provider(declared.traffic_routing, loop, read).seen(routing, written_before=before)
    if router is None:
        return None
    return provider_seen(counted(router, seen.gateways or (), routing), epoch=routing.epoch, weight=routing.weight)


def written_routing(seen: RunSeen) -> Routing | None:
    """The routing that the loop's controller has written; it alone decides what is in force."""
    text = seen.serving.config_json if seen.serving else None
    if text is None:
        return None
    try:
        return GatewayConfig.model_validate_json(text).routing
    except ValidationError:
        return None


def counted(router: RouterSeen, gateways: tuple[GatewayStatus, ...], routing: Routing) -> RouterSeen:
    """With the answers of this epoch that the app has reported, by the revision that gave them."""
    cells = [t for g in gateways for t in g.traffic if (t.run_uid, t.epoch) == (routing.run_uid, routing.epoch)]
    return replace(
        router,
        stable=sum(t.reported for t in cells if t.arm is Arm.STABLE),
        canary=sum(t.reported for t in cells if t.arm is Arm.CANARY),
    )
