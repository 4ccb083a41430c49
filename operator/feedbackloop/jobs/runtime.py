"""The frame around every stage: spec in, progress on the way, one `result.json` out, an exit code for the end.

A stage is `main(Spec, Result, body)` where `body(job)` does the work and returns its result, made with
`**job.identity()`. Everything that ends a job is an exception of `jobs.errors`; `main` alone turns
them into exit codes. Logs, progress, results and attempts carry digests, numbers and our own words only.
"""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import FrameType
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from feedbackloop.api.gateway import ObjectStore
from feedbackloop.api.jobs import SECRETS_PATH, SPEC_PATH, SUITES_PATH, ExitCode, JobSpec, Result
from feedbackloop.events.errors import EventsError
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.opening import keyring_of
from feedbackloop.jobs import canonical
from feedbackloop.jobs import spec as specs
from feedbackloop.jobs.errors import BUG, InvalidSpec, JobError, Terminated, exit_code
from feedbackloop.jobs.progress import Progress, now
from feedbackloop.jobs.storage import Store, open_store
from feedbackloop.jobs.vault import Vault

log = logging.getLogger("feedbackloop.jobs")
S = TypeVar("S", bound=JobSpec)
R = TypeVar("R", bound=Result)
RECORD_SECONDS = 5.0
TERMINATION_LOG = Path("/dev/termination-log")


@dataclass(frozen=True)
class Place:
    """Where a job finds its files; the defaults are those of a pod (contracts §2)."""

    spec: Path = Path(SPEC_PATH)
    secrets: Path = Path(SECRETS_PATH)
    scratch: Path = Path("/scratch")
    attempt: int = 1
    halvings: int = 0
    suites: Path = Path(SUITES_PATH)

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Place:
        """`FL_SPEC`, `FL_SECRETS` and `FL_SUITES` move the files, for a run by hand."""
        return cls(
            spec=Path(environment.get("FL_SPEC", SPEC_PATH)),
            secrets=Path(environment.get("FL_SECRETS", SECRETS_PATH)),
            scratch=Path(environment.get("FL_SCRATCH", "/scratch")),
            suites=Path(environment.get("FL_SUITES", SUITES_PATH)),
            attempt=int(environment.get("FL_ATTEMPT", "1")),
            halvings=int(environment.get("FL_HALVINGS", "0")),
        )


@dataclass
class Stopping:
    """SIGTERM. By default it raises `Terminated` in the main thread; a stage that has something to
    save first calls `gracefully()` and looks at `requested`, then raises `Preempted` itself."""

    requested: threading.Event = field(default_factory=threading.Event)
    hook: Callable[[], None] | None = None

    def gracefully(self, hook: Callable[[], None] = lambda: None) -> None:
        """From now on SIGTERM only sets `requested` and calls `hook`."""
        self.hook = hook

    def handle(self, signum: int, frame: FrameType | None) -> None:
        self.requested.set()
        if self.hook is None:
            raise Terminated("SIGTERM")
        self.hook()


@dataclass(frozen=True)
class Job(Generic[S]):
    """What a stage's body gets."""

    spec: S
    spec_digest: str
    place: Place
    store: Store
    """Keys below `spec.storage.prefix`, the loop's own data."""
    progress: Progress
    stopping: Stopping

    @property
    def run_prefix(self) -> str:
        return f"runs/{self.spec.run_id}/"

    @property
    def attempt(self) -> int:
        return self.place.attempt

    def identity(self) -> dict[str, Any]:
        """The fields that every result begins with."""
        return {"run_id": self.spec.run_id, "attempt": self.attempt, "spec_digest": self.spec_digest}

    def kek(self) -> Keyring:
        """The loop's keys. Raises KeyRefused, KeyServiceUnavailable, StorageUnavailable of `events.errors`."""
        return self._keyring

    @cached_property
    def _keyring(self) -> Keyring:
        spec = self.spec
        return keyring_of(spec.encryption, spec.storage, self.place.secrets, spec.loop.uid)

    def vault(self) -> Vault:
        """The loop's own objects inside the envelope: data sets, checkpoints."""
        return Vault(self.store, self.kek())

    def open(self, where: ObjectStore, secret: str) -> Store:
        """Another store (models) with the credentials below the secrets directory `secret`."""
        return open_store(where, self.place.secrets / secret)


Body = Callable[[Job[S]], R]


def main(spec_type: type[S], result_type: type[R], body: Body[S, R], place: Place | None = None) -> int:
    """Run a stage; the exit code to leave with."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    stopping = Stopping()
    signal.signal(signal.SIGTERM, stopping.handle)
    try:
        run(spec_type, result_type, body, place or Place.of(os.environ), stopping)
    except BaseException as error:
        return _end(error)
    return int(ExitCode.OK)


def run(spec_type: type[S], result_type: type[R], body: Body[S, R], place: Place, stopping: Stopping) -> R:
    """A stage without the process around it: the result, made now or found."""
    spec, digest = specs.load(spec_type, place.spec)
    store = open_store(spec.storage, place.secrets / "storage")
    key = f"runs/{spec.run_id}/result.json"
    found = _find(store, key, result_type, digest)
    if found is not None:
        log.info("%s: result.json exists already", spec.run_id)
        return found
    progress = Progress(store, f"runs/{spec.run_id}/progress.json", spec.run_id, place.attempt)
    job = Job(spec, digest, place, store, progress, stopping)
    _record(job, {"startedAt": now()})
    try:
        result = _work(job, body)
        _record(job, {"endedAt": now(), "exitCode": int(ExitCode.OK), "exitClass": "OK"})
        return _publish(store, key, result_type, result)
    except BaseException as error:
        _record(job, {"endedAt": now(), "exitCode": exit_code(error), "exitClass": type(error).__name__})
        raise


def _work(job: Job[S], body: Body[S, R]) -> R:
    """The body's result with what it cost."""
    started = time.monotonic()
    with job.progress:
        result = body(job)
    costs = {"wall_seconds": round(time.monotonic() - started, 3), "peak_rss_mib": peak_rss_mib()}
    return result.model_copy(update=costs)


def _find(store: Store, key: str, result_type: type[R], digest: str) -> R | None:
    """The result of an earlier attempt with our spec; another spec's result can never be ours."""
    data = store.get(key)
    if data is None:
        return None
    try:
        result = result_type.model_validate_json(data)
    except ValidationError:
        raise InvalidSpec(f"{key}: is not a {result_type.__name__}; start a run of another id") from None
    if result.spec_digest != digest:
        raise InvalidSpec(f"{key}: belongs to spec {result.spec_digest}, ours is {digest}; start a run of another id")
    return result


def _publish(store: Store, key: str, result_type: type[R], result: R) -> R:
    """Create `result.json`; when another attempt was first, its result is the one."""
    if store.create(key, canonical.encode(result.to_wire())):
        return result
    return _find(store, key, result_type, result.spec_digest) or result


def _record(job: Job[S], ending: Mapping[str, Any]) -> None:
    """`attempts/<n>.json` is for people: facts of the environment and how it ended. Best effort."""
    facts = {"attempt": job.attempt, "halvings": job.place.halvings, "specDigest": job.spec_digest, **environment()}
    body = canonical.encode({**facts, **ending})
    # Beside the work, and not longer than a pod's end may wait for a store that hangs.
    thread = threading.Thread(
        target=_put, args=(job.store, f"{job.run_prefix}attempts/{job.attempt}.json", body), daemon=True
    )
    thread.start()
    thread.join(RECORD_SECONDS)


def _put(store: Store, key: str, body: bytes) -> None:
    try:
        store.put(key, body)
    except JobError as error:
        log.warning("%s was not written: %s", key, error)


def environment() -> dict[str, Any]:
    """What a reader of an old attempt wants to know about the machine."""
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "pod": os.environ.get("HOSTNAME", ""),
    }


def peak_rss_mib() -> float:
    """The largest resident set of this process so far (Linux counts it in KiB)."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def _end(error: BaseException) -> int:
    """Say how it ended. Of a bug only types and places: its message may quote a user's words."""
    code = exit_code(error)
    if isinstance(error, JobError | EventsError):
        log.error("%s: %s", type(error).__name__, error)
        _tell_the_kubelet(str(error))
    elif code != BUG:
        log.error("%s", type(error).__name__)
    else:
        frames = traceback.extract_tb(error.__traceback__)
        places = " < ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in reversed(frames))
        log.error("bug: %s at %s", type(error).__name__, places)
    return code


def _tell_the_kubelet(message: str) -> None:
    """The pod's termination message, which the operator shows. Only where a kubelet has made the file."""
    with contextlib.suppress(OSError):
        if TERMINATION_LOG.is_file():
            TERMINATION_LOG.write_text(message[:1000], encoding="utf-8")
