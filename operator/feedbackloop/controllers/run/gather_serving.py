"""The facts of serving: the pods of both arms and the gateways' configuration."""

from __future__ import annotations

from feedbackloop.adapters.kinds import CONFIG_MAP, DEPLOYMENT, POD
from feedbackloop.adapters.ports import Json, KubernetesPort
from feedbackloop.api.gateway import CONFIG_KEY
from feedbackloop.domain import naming
from feedbackloop.domain.children.target import selector
from feedbackloop.domain.jobs.specs import pinned
from feedbackloop.domain.lifecycle.run_arms import arm_observed
from feedbackloop.domain.lifecycle.run_seen import RunSeen, ServingSeen
from feedbackloop.domain.rollout import ArmObserved


async def serving_seen(kubernetes: KubernetesPort, seen: RunSeen) -> ServingSeen:
    """Both arms, and what the gateways were told."""
    inputs = seen.status.inputs
    assert inputs is not None
    target = pinned(inputs.pinned_spec).target
    config = await kubernetes.get(CONFIG_MAP, seen.namespace, naming.gateway(seen.spec.loop_name))
    return ServingSeen(
        config_json=(config or {}).get("data", {}).get(CONFIG_KEY),
        target=await _arm(kubernetes, seen.namespace, target.deployment_name),
        canary=await _arm(kubernetes, seen.namespace, naming.canary(seen.spec.loop_name)),
    )


async def _arm(kubernetes: KubernetesPort, namespace: str, name: str) -> ArmObserved:
    deployment: Json | None = await kubernetes.get(DEPLOYMENT, namespace, name)
    if deployment is None:
        return arm_observed(None, ())
    pods = await kubernetes.list(POD, namespace, labels=selector(deployment))
    return arm_observed(deployment, pods)
