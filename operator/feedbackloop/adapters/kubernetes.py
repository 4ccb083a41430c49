"""`KubernetesPort` on the official asyncio client: server-side apply as `feedbackloop`, and little else."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from feedbackloop.adapters.failures import AlreadyExists, OtherObject
from feedbackloop.adapters.kinds import EVENT, Kind, kind_of
from feedbackloop.adapters.ports import EventType, Finalizers, Json
from feedbackloop.adapters.requests import Request, Requests
from feedbackloop.api import FIELD_MANAGER, GROUP
from feedbackloop.domain.errors import Gone, OperatorError

PAGE = "500"
NOTE_LIMIT = 1024
Objects = list[Json]
_WRITE = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_log = logging.getLogger("feedbackloop.kubernetes")


class KubernetesAdapter:
    """Every method is one request, except that lists come in pages."""

    def __init__(
        self,
        requests: Requests,
        *,
        instance: str = "feedbackloop-operator",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._requests = requests
        self._instance = instance
        self._now = now

    async def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        try:
            body = await self._requests.send(Request("get", kind, namespace, name))
            return body if kind.shared else _own(body)
        except Gone:
            return None

    async def list(self, kind: Kind, namespace: str, *, labels: Mapping[str, str] | None = None) -> list[Json]:
        items = await self._pages(kind, namespace, labels or {}, "application/json")
        return [_own({"apiVersion": kind.api_version, "kind": kind.kind, **item}) for item in items]

    async def metadata(self, kind: Kind, namespace: str, *, selector: Mapping[str, str | None]) -> Objects:
        """The `metadata` of the objects and nothing else: what a comparison of versions needs."""
        return [item["metadata"] for item in await self._pages(kind, namespace, selector, _METADATA_ONLY)]

    async def probe(self, kind: Kind, namespace: str) -> None:
        """`Gone` when the API server does not serve the kind."""
        await self._requests.send(Request("list", kind, namespace, query={"limit": "1"}, accept=_METADATA_ONLY))

    async def apply(
        self, body: Json, *, force: bool = True, dry_run: bool = False, subresource: str | None = None
    ) -> Json:
        query = {**_WRITE, "force": "true" if force else "false", **({"dryRun": "All"} if dry_run else {})}
        return _own(await self._requests.send(_about("apply", body, query, subresource)))

    async def create(self, body: Json) -> Json | None:
        kind = kind_of(body)
        request = Request("create", kind, _namespace(body), query=_WRITE, body=body)
        try:
            return _own(await self._requests.send(request))
        except AlreadyExists:
            return None

    async def replace(self, body: Json) -> Json:
        """Update as it was read: `Conflict` when it changed since."""
        return _own(await self._requests.send(_about("update", body, _WRITE)))

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str | None = None) -> None:
        options: Json = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        try:
            await self._requests.send(Request("delete", kind, namespace, name, body=options))
        except (Gone, OtherObject):  # nothing of ours is left under this name
            return

    async def set_finalizers(self, kind: Kind, body: Json, finalizers: Finalizers) -> Json:
        metadata = body["metadata"]
        patch = {"metadata": {"resourceVersion": metadata["resourceVersion"], "finalizers": finalizers}}
        query = {"fieldManager": FIELD_MANAGER}
        request = Request("patch", kind, metadata["namespace"], metadata["name"], query=query, body=patch)
        return _own(await self._requests.send(request))

    async def event(self, regarding: Json, *, type_: EventType, reason: str, action: str, note: str) -> None:
        body = self._event(regarding, type_=type_, reason=reason, action=action, note=note)
        try:
            await self.create(body)
        except OperatorError as cause:
            _log.info("event-lost reason=%s error=%s", reason, cause)

    def _event(self, regarding: Json, *, type_: EventType, reason: str, action: str, note: str) -> Json:
        metadata = regarding["metadata"]
        # The name is that of the transition: a repetition after a crash finds it and makes no second one.
        transition = (metadata.get("uid"), metadata.get("resourceVersion"), reason, action, note)
        digest = hashlib.sha256("\0".join(map(str, transition)).encode()).hexdigest()[:16]
        return {
            "apiVersion": EVENT.api_version,
            "kind": EVENT.kind,
            "metadata": {"name": f"{metadata['name'][:236]}.{digest}", "namespace": metadata["namespace"]},
            "eventTime": self._now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": f"{GROUP}/operator",
            "reportingInstance": self._instance[:128],
            "type": type_,
            "reason": reason,
            "action": action[:128],
            "note": _short(note),
            "regarding": _reference(regarding),
        }

    async def _pages(self, kind: Kind, namespace: str, selector: Mapping[str, str | None], accept: str) -> Objects:
        query = {"limit": PAGE, **({"labelSelector": selector_text(selector)} if selector else {})}
        items: list[Json] = []
        while True:
            page = await self._requests.send(Request("list", kind, namespace, query=query, accept=accept))
            items += page.get("items") or []
            if not (token := (page.get("metadata") or {}).get("continue")):
                return items
            query["continue"] = token


def selector_text(labels: Mapping[str, str | None]) -> str:
    """A label selector: equal to the value, or present when there is none."""
    return ",".join(key if value is None else f"{key}={value}" for key, value in sorted(labels.items()))


def _about(verb: str, body: Json, query: Mapping[str, str], subresource: str | None = None) -> Request:
    return Request(verb, kind_of(body), _namespace(body), body["metadata"]["name"], subresource, query, body)


def _namespace(body: Json) -> str:
    return str(body["metadata"].get("namespace") or "")


def _own(body: Json) -> Json:
    """Without `managedFields`, half of an object and of no use to a decision."""
    (body.get("metadata") or {}).pop("managedFields", None)
    return body


def _reference(body: Json) -> Json:
    metadata = body["metadata"]
    names = {key: metadata.get(key) for key in ("namespace", "name", "uid", "resourceVersion")}
    return {"apiVersion": body["apiVersion"], "kind": body["kind"], **{k: v for k, v in names.items() if v}}


def _short(note: str) -> str:
    """At most 1024 bytes, which is what the server counts."""
    data = note.encode()
    return note if len(data) <= NOTE_LIMIT else data[: NOTE_LIMIT - 3].decode(errors="ignore") + "…"
