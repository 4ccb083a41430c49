"""What shall be there now: the loop's objects and the target's fields, rendered from roles, routing and the spec."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from feedbackloop.api.adminconfig import AdminConfig, Endpoint, EndpointType
from feedbackloop.api.feedbackloop import FeedbackLoopSpec, FeedbackLoopStatus, Model
from feedbackloop.api.gateway import GatewayConfig, KeyService, Routing, revision
from feedbackloop.api.rollout import Rollout
from feedbackloop.domain import naming
from feedbackloop.domain.children import target as targets
from feedbackloop.domain.children.adoption import ModelSource, adoption, source
from feedbackloop.domain.children.arms import canary_service, stable_service
from feedbackloop.domain.children.canary import canary_deployment
from feedbackloop.domain.children.common import Json
from feedbackloop.domain.children.compare import contains, is_applied, sealed
from feedbackloop.domain.children.encryption import key_service
from feedbackloop.domain.children.gateway import gateway_objects
from feedbackloop.domain.children.gateway.config import config_json, gateway_config, object_store
from feedbackloop.domain.jobs.periodic import Surroundings
from feedbackloop.domain.lifecycle.loop_effects import Apply, Delete, Effect
from feedbackloop.domain.lifecycle.loop_observation import Child, LoopObservation
from feedbackloop.domain.lifecycle.loop_replicas import owning_replicas
from feedbackloop.domain.lifecycle.loop_router import router_effects
from feedbackloop.domain.serving import Serving, serving


@dataclass(frozen=True)
class Plan:
    """Everything that is rendered from one observation of a loop that can be rendered."""

    seen: LoopObservation
    spec: FeedbackLoopSpec
    admin: AdminConfig
    target: Json
    port: int
    storage: Endpoint
    models: Endpoint
    encryption: KeyService
    status: FeedbackLoopStatus
    """With the champion as it shall be."""

    @cached_property
    def serving(self) -> Serving:
        ref, run = self.seen.loop.ref, self.seen.active
        return serving(
            self.status,
            run.status if run else None,
            run_uid=run.uid if run else "",
            stable_host=naming.host(naming.stable(ref.name), ref.namespace),
            canary_host=naming.host(naming.canary(ref.name), ref.namespace),
            port=self.port,
        )

    @cached_property
    def rollout(self) -> Rollout | None:
        """The rules of the active run, as it has pinned them, else those of the spec."""
        run = self.seen.active
        if run is None or run.status.inputs is None:
            return self.spec.rollout
        return FeedbackLoopSpec.model_validate_json(run.status.inputs.pinned_spec).rollout

    @cached_property
    def config(self) -> GatewayConfig:
        return gateway_config(
            self.seen.loop.ref,
            self.spec,
            self.storage,
            self.rollout,
            self.routing,
            encryption=self.encryption,
            owners=owning_replicas(self.seen, self.spec),
        )

    @cached_property
    def around(self) -> Surroundings:
        """What the periodic jobs are told of."""
        spec, ref = self.spec, self.seen.loop.ref
        prefix = naming.storage_prefix(spec.storage.prefix, ref.uid)
        return Surroundings(
            loop=ref,
            spec=spec,
            status=self.status,
            storage=object_store(self.storage, spec.storage.bucket, prefix),
            models=object_store(self.models, spec.models.bucket, ""),
            encryption=self.encryption,
            runs=tuple(run.status for run in self.seen.runs),
            served_elsewhere=frozenset(digest for other in self.seen.others for digest in other.models),
        )

    @property
    def routing(self) -> Routing:
        return self.serving.routing

    @cached_property
    def revision(self) -> str:
        return revision(config_json(self.config))

    @cached_property
    def adoption(self) -> Json:
        """What the target shall carry of ours."""
        return adoption(self.target, self.spec.target, self.serving.target_model, self._source)

    @cached_property
    def adoption_applied(self) -> bool:
        """Whether it carries that already; its uid and name are not at issue."""
        return contains(self.target.get("spec"), self.adoption["spec"])

    @property
    def _source(self) -> ModelSource:
        return source(self.admin, self.models, self.spec.models.credentials_secret_name)

    def effects(self, now: datetime, *, adopt: bool) -> tuple[Effect, ...]:
        """What is missing or different, in the order in which it is safe to apply.

        Routes come before pods: traffic leaves a canary before it shrinks, and by the rollout's
        own order a canary is ready before traffic is routed to it.
        """
        adopted = (Apply(self.adoption, force=False),) if adopt and not self.adoption_applied else ()
        return (*self._gateway(), *self._router(now), *self._canary(), *adopted)

    def _router(self, now: datetime) -> tuple[Effect, ...]:
        """After the arms' Services, which a route refers to."""
        if self.rollout is None:
            return ()
        return router_effects(self.seen, self.rollout.traffic_routing, self.routing, now)

    def _gateway(self) -> tuple[Effect, ...]:
        ref = self.seen.loop.ref
        live_set = self.seen.children.get(Child("StatefulSet", naming.gateway(ref.name)))
        bodies = (*self._arms(), *gateway_objects(ref, self.spec, self.admin, self.config, live_set))
        return tuple(e for body in bodies for e in self._missing(body))

    def _arms(self) -> tuple[Json, ...]:
        ref, name = self.seen.loop.ref, self.spec.target.port
        stable = stable_service(ref, selector=targets.selector(self.target), port_name=name, port=self.port)
        return (stable, canary_service(ref, port_name=name, port=self.port))

    def _canary(self) -> tuple[Effect, ...]:
        model, live = self.serving.canary_model, self._live_canary
        if model is None or self.rollout is None:
            return (Delete(live),) if live is not None else ()
        return self._missing(self._canary_body(model, self.rollout))

    @property
    def _live_canary(self) -> Json | None:
        return self.seen.children.get(Child("Deployment", naming.canary(self.seen.loop.ref.name)))

    def _canary_body(self, model: Model, rollout: Rollout) -> Json:
        return canary_deployment(
            self.seen.loop.ref,
            self.target,
            self.spec.target,
            model,
            self._source,
            replicas=self.serving.canary_replicas,
            progress_deadline_seconds=rollout.progress_deadline_seconds,
        )

    def _missing(self, body: Json) -> tuple[Effect, ...]:
        """The apply, unless it would change nothing."""
        whole = sealed(body)
        live = self.seen.children.get(Child(body["kind"], body["metadata"]["name"]))
        return () if is_applied(live, whole) else (Apply(whole),)


def plan(seen: LoopObservation, admin: AdminConfig, status: FeedbackLoopStatus) -> Plan | None:
    """The plan; None when the checks of what can be rendered fail."""
    spec, target = seen.loop.spec, seen.target
    if spec is None or target is None:
        return None
    port = targets.port_number(target, spec.target.model_container, spec.target.port)
    storage = admin.endpoint(spec.storage.endpoint_name, EndpointType.S3)
    models = admin.endpoint(spec.models.endpoint_name, EndpointType.S3)
    encryption = key_service(spec.encryption, admin)
    if port is None or storage is None or models is None or encryption is None:
        return None
    return Plan(seen, spec, admin, target, port, storage, models, encryption, status)
