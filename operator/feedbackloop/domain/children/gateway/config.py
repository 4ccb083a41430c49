"""The gateway's configuration and the ConfigMap that carries it."""

from __future__ import annotations

from feedbackloop.api.adminconfig import Endpoint
from feedbackloop.api.feedbackloop import FeedbackLoopSpec
from feedbackloop.api.gateway import (
    APP_PORT,
    CONFIG_KEY,
    CountedOutcome,
    GatewayConfig,
    KeyService,
    LoopRef,
    ObjectStore,
    Routing,
)
from feedbackloop.api.rollout import Rollout
from feedbackloop.domain import naming
from feedbackloop.domain.children.common import Json, metadata
from feedbackloop.domain.evidence.counting import counted_event


def gateway_config(
    loop: LoopRef,
    spec: FeedbackLoopSpec,
    storage: Endpoint,
    rollout: Rollout | None,
    routing: Routing,
    *,
    encryption: KeyService,
    owners: int,
) -> GatewayConfig:
    """The configuration; `rollout` is the active run's pinned one while there is one, `owners` the pods that own
    sessions."""
    header = {"session_header": rollout.assignment.session_header} if rollout else {}
    elsewhere = rollout is not None and rollout.traffic_routing.gateway is None
    return GatewayConfig(
        loop=loop,
        storage=object_store(storage, spec.storage.bucket, naming.storage_prefix(spec.storage.prefix, loop.uid)),
        collection=spec.collection.model_copy(update={"replicas": owners}),
        encryption=encryption,
        peers=_peers(loop) if spec.collection.replicas > 1 else "",
        outcomes=_outcomes(rollout),
        retention=spec.retention,
        reported=elsewhere,
        routing=routing,
        **header,
    )


def _peers(loop: LoopRef) -> str:
    """Every pod by its name in the headless Service; also told while only the first pod owns sessions, so that the
    others, which come first, know where to hand them on."""
    pod, service = f"{naming.gateway(loop.name)}-{{ordinal}}", naming.gateway_pods(loop.name)
    return f"{pod}.{naming.host(service, loop.namespace)}:{APP_PORT}"


def object_store(endpoint: Endpoint, bucket: str, prefix: str) -> ObjectStore:
    """A bucket of an endpoint, below a prefix."""
    return ObjectStore(url=endpoint.url, region=endpoint.region, bucket=bucket, prefix=prefix)


def _outcomes(rollout: Rollout | None) -> tuple[CountedOutcome, ...]:
    return tuple(
        CountedOutcome(
            name=o.name,
            signal=o.signal,
            event=counted_event(o),
            attribution_window_seconds=o.attribution_window_seconds,
        )
        for o in (rollout.outcomes if rollout else ())
    )


def config_json(config: GatewayConfig) -> str:
    """The bytes whose digest is the revision."""
    return naming.canonical_json(config.to_wire())


def config_map(loop: LoopRef, config: GatewayConfig) -> Json:
    """The one object that the gateway watches."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(loop, naming.gateway(loop.name)),
        "data": {CONFIG_KEY: config_json(config)},
    }
