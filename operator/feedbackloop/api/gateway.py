"""The contract between operator and gateway: the configuration that goes in, the status that comes out.

The operator writes one ConfigMap a loop (`<loop>-gateway`, key `config.json`); the gateway watches
exactly that object, applies it within a second and reports its revision on `GET /status` of the
admin port. `revision` is the first 16 hex digits of the sha256 of the bytes of `config.json`.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any

from feedbackloop.api.base import KubeModel, StatusModel
from feedbackloop.api.collection import Collection
from feedbackloop.api.feedbackloop import Retention

CONFIG_KEY = "config.json"
APP_PORT, FEEDBACK_PORT, ADMIN_PORT, METRICS_PORT = 8080, 8081, 8082, 8083


class Arm(StrEnum):
    STABLE = "stable"
    CANARY = "canary"


class LoopRef(KubeModel):
    namespace: str
    name: str
    uid: str


class ObjectStore(KubeModel):
    """A bucket below a prefix; credentials are files that the kubelet mounts."""

    url: str
    region: str = "us-east-1"
    bucket: str
    prefix: str = ""
    """For the loop's own data: `<spec prefix><loop uid>/`."""


class RootKeyType(StrEnum):
    SECRET = "Secret"
    AWS_KMS = "AwsKms"
    VAULT_TRANSIT = "VaultTransit"


class KeyService(KubeModel):
    """Where the root key is, and how its children are kept. Credentials are files in `secrets/kek`."""

    type: RootKeyType = RootKeyType.SECRET
    url: str = ""
    """Of the key service; empty for a Secret."""
    region: str = "us-east-1"
    key: str = ""
    """KMS: key id, ARN or alias. Vault: the key's name."""
    mount: str = "transit"
    rotation_period_seconds: int = 2_592_000
    keys_bucket: str = ""
    """The bucket of `keys/`; empty: the storage bucket."""


class Backend(KubeModel):
    """An arm's headless Service: its addresses are the ready pods."""

    host: str
    port: int
    digest: str


class Mirror(KubeModel):
    """Shadow: a share of stable's requests is answered by the canary pods too, and nobody sees those answers."""

    percent: int
    max_concurrency: int = 4
    max_pairs: int = 2000
    backend: Backend


class HeaderTo(KubeModel):
    """Requests whose header has one of these values go to the canary and are not counted."""

    header: str
    values: tuple[str, ...]


class Routing(KubeModel):
    """One epoch: (run_uid, epoch) names it, and any change of this object is a new one."""

    run_uid: str = ""
    epoch: int = 0
    weight: int = 0
    """The canary's share of the 10 000 buckets, in percent (100 while baking)."""
    salt: str = ""
    stable: Backend
    canary: Backend | None = None
    fallback: Arm | None = None
    """Answers when the assigned arm has no ready endpoint: stable during the steps, canary while baking."""
    mirror: Mirror | None = None
    header_routes: tuple[HeaderTo, ...] = ()


class CountedOutcome(KubeModel):
    name: str
    signal: str
    event: str = "ThumbsDown"
    """A value of OutcomeEvent, or `Mean`: the mean of the unit's values of that signal."""
    attribution_window_seconds: int


class GatewayConfig(KubeModel):
    schema_version: int = 1
    loop: LoopRef
    storage: ObjectStore
    collection: Collection
    encryption: KeyService = KeyService()
    peers: str = ""
    """`host:port` of a replica's app port with `{ordinal}` in it; empty while there is one replica."""
    session_header: str = "X-Session-Id"
    outcomes: tuple[CountedOutcome, ...] = ()
    retention: Retention = Retention()
    """For the text for users: how long each class of data is kept."""
    reported: bool = False
    """Another router splits: a posted interaction belongs to the arm whose digest its modelVersion is."""
    routing: Routing


def revision(config_json: str | bytes) -> str:
    """The revision of a configuration: 16 hex digits of the sha256 of its bytes."""
    data = config_json.encode() if isinstance(config_json, str) else config_json
    return hashlib.sha256(data).hexdigest()[:16]


class LogPosition(StatusModel):
    """Record counts of the pod's log, from its first record on; they never go back."""

    offset: int = 0
    """Records (interactions and feedback)."""
    trainable: int = 0
    """Trainable signals among them: Thumbs, Correction and Preference events with consent."""


class UnitCounts(StatusModel):
    """Cumulative counts of closed units of one (run, epoch, arm, outcome)."""

    run_uid: str
    epoch: int
    arm: Arm
    outcome: str
    units: int = 0
    rated: int = 0
    events: int = 0
    total: int = 0
    """Of a mean: the sum over rated units, in thousandths."""
    squares: int = 0
    """Of a mean: the sum of the squares, in millionths."""


class ShadowCounts(StatusModel):
    """Mirrored requests of one (run, epoch)."""

    run_uid: str
    epoch: int = 0
    mirrored: int = 0
    pairs: int = 0
    """Stored, redacted and encrypted: both answers to one request."""
    failed: int = 0
    """The candidate gave no answer."""
    skipped: int = 0
    """Not mirrored: too many in flight, a tool call, or no consent to process."""


class TrafficCounts(StatusModel):
    """Cumulative counts of answered requests of one (run, epoch, arm), warm-up excluded."""

    run_uid: str
    epoch: int
    arm: Arm
    requests: int = 0
    errors: int = 0
    """Answers with a 5xx status, or broken off after the first byte by the server."""
    unavailable: int = 0
    """Requests that the fallback answered instead: no endpoint, or no connection."""
    latency_ms: dict[str, int] = {}
    """Cumulative histogram: upper bound in milliseconds (or `inf`) to the count at or below it."""
    streamed: int = 0
    """Streamed answers among them."""
    first_token_ms: dict[str, int] = {}
    """Of streamed answers: the time to the first content, as a cumulative histogram."""
    refusals: int = 0
    """Answers that decline, by the list of phrases."""
    empty: int = 0
    """Answers without text, tool calls excepted."""
    cancelled: int = 0
    """Broken off by the client; no error."""
    reported: int = 0
    """Answers that the app reported after another router had split them: counted for the share, and nothing else."""


class LedgerHead(StatusModel):
    seq: int = 0
    hash: str = ""
    """Hex sha256 of the chain up to `seq`."""
    public_key: str = ""
    """Ed25519, 64 hex digits: signs the ledger's checkpoints."""


class GatewayStatus(StatusModel):
    """`GET /status` of the admin port: integers, digests and pseudonyms only."""

    pod: str
    revision: str = ""
    run_uid: str = ""
    epoch: int = 0
    appended: LogPosition = LogPosition()
    """Durable on the volume."""
    uploaded: LogPosition = LogPosition()
    """In object storage, without a gap."""
    accepted: int = 0
    stored: int = 0
    duplicate: int = 0
    bad_rows: int = 0
    """accepted = stored + duplicate + bad_rows, at any time."""
    by_signal: dict[str, int] = {}
    units: tuple[UnitCounts, ...] = ()
    open_units: int = 0
    traffic: tuple[TrafficCounts, ...] = ()
    shadow: tuple[ShadowCounts, ...] = ()
    orphans: int = 0
    """Stored feedback whose interaction this pod had not seen (it may still be joined)."""
    declined: int = 0
    """Implicit signals not stored because the browser asked for privacy; not part of `accepted`."""
    replayed: int = 0
    """Bad rows that were accepted after the schema was mended."""
    consents: dict[str, int] = {}
    """Entries of the consent ledger by `<purpose>/<state>`."""
    ledger: LedgerHead | None = None
    """The newest entry of the pod's ledger that is in object storage."""
    key_epoch: int = 0
    """The epoch of subject keys that new records are sealed under."""
    storage_error: str | None = None
    """The class of the last upload's error while uploads fail, else unset."""
    log_error: str | None = None
    """Why the log takes nothing, or why its last write failed; unset while all is well."""
    law_difference: int = 0
    """Clients' events in the log minus those that were answered, since the process started; 0 unless there is a bug."""
    clock_offset_seconds: int = 0
    """How far the wall clock is ahead of the log's clock while it is not believed."""
    drained: bool = False
    """After `POST /drain` on the admin port or SIGTERM: everything appended is uploaded."""
    erasure_requests: tuple[dict[str, Any], ...] = ()
