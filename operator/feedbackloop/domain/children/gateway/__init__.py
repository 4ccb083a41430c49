"""The gateway's objects of one loop, in the order of their application: rights and configuration before the pods."""

from __future__ import annotations

from feedbackloop.api.adminconfig import AdminConfig
from feedbackloop.api.feedbackloop import FeedbackLoopSpec
from feedbackloop.api.gateway import GatewayConfig, LoopRef
from feedbackloop.domain.children.common import Json
from feedbackloop.domain.children.gateway.access import role, role_binding, service_account
from feedbackloop.domain.children.gateway.budget import disruption_budget
from feedbackloop.domain.children.gateway.config import config_map
from feedbackloop.domain.children.gateway.policy import network_policy
from feedbackloop.domain.children.gateway.services import app_service, pods_service
from feedbackloop.domain.children.gateway.workload import stateful_set


def gateway_objects(
    loop: LoopRef, spec: FeedbackLoopSpec, admin: AdminConfig, config: GatewayConfig, live_set: Json | None
) -> tuple[Json, ...]:
    """All of them; `live_set` is the StatefulSet that is there, whose claims cannot change."""
    budget = (disruption_budget(loop),) if spec.collection.replicas > 1 else ()
    return (
        service_account(loop),
        role(loop),
        role_binding(loop),
        config_map(loop, config),
        app_service(loop),
        pods_service(loop),
        network_policy(loop, admin.operator_namespace, admin.gateway.metrics_from),
        *budget,
        stateful_set(loop, spec, admin.gateway, live_set),
    )
