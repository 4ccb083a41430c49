"""A training or evaluation pod without Kubernetes: its mounts, its environment, its process.

Everything that needs torch runs in the trainer environment, in processes of its own; the tests
themselves run in the development environment.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from feedbackloop.api.feedbackloop import Model
from feedbackloop.api.gateway import KeyService
from feedbackloop.events.keyring.keyring import Keyring
from feedbackloop.events.keyring.opening import keyring_of
from feedbackloop.jobs import artefact, canonical, datasets
from feedbackloop.jobs.storage import Store, open_store
from feedbackloop.jobs.vault import Vault
from tests.support import envs
from tests.support.seaweedfs import SeaweedFs

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "support_bot"
RAW = bytes(range(32))
SECRETS = ("storage", "models", "models-write")
GOLDEN = "golden-v1.jsonl"
WITHIN_SECONDS = 400.0
_numbers = itertools.count()


def trainer_python() -> str:
    return str(envs.ensure("trainer") / "bin" / "python")


def environment(**more: str) -> dict[str, str]:
    """Of a pod: our package on the path, one thread, and nothing of the tester's proxies for offline libraries."""
    return (
        os.environ
        | {"PYTHONPATH": f"{ROOT / 'operator'}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
        | more
    )


def run_python(code: str, *arguments: str) -> str:
    """What a snippet prints in the trainer environment."""
    done = subprocess.run(
        [trainer_python(), "-c", code, *arguments],
        env=environment(),
        text=True,
        capture_output=True,
        timeout=WITHIN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def wait(until: Callable[[], Any], process: subprocess.Popen[str]) -> None:
    """Until a condition holds; a process that ends before is a failure."""
    deadline = time.monotonic() + WITHIN_SECONDS
    while not until():
        assert time.monotonic() < deadline, "the condition never held"
        assert process.poll() is None, f"ended early with {process.returncode}"
        time.sleep(0.01)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


@dataclass
class Pod:
    """A loop of its own in the buckets, and the mounts of one job of it."""

    s3: SeaweedFs
    home: Path
    uid: str = field(default_factory=lambda: f"uid-{next(_numbers)}")

    def __post_init__(self) -> None:
        for secret in SECRETS:
            self.s3.write_secret(self.home / "secrets" / secret)
        (self.home / "secrets" / "kek").mkdir(parents=True, exist_ok=True)
        (self.home / "secrets" / "kek" / "key").write_bytes(RAW)
        self.scratch.mkdir(exist_ok=True)

    @property
    def scratch(self) -> Path:
        return self.home / "scratch"

    @property
    def work(self) -> Path:
        return self.scratch / "train"

    @property
    def prefix(self) -> str:
        return f"team/{self.uid}/"

    @property
    def store(self) -> Store:
        return open_store(self.s3.store("feedback", self.prefix), self.home / "secrets" / "storage")

    @property
    def keyring(self) -> Keyring:
        return keyring_of(KeyService(), self.s3.store("feedback", self.prefix), self.home / "secrets", self.uid)

    @property
    def models(self) -> Store:
        return open_store(self.s3.store("models"), self.home / "secrets" / "models-write")

    def push(self, directory: Path) -> Model:
        return artefact.push(self.models, "support-bot", directory)

    def put_data_set(
        self, rows: Iterable[Any], regressions: Iterable[Any] = (), topics: Iterable[str] = (), **more: bytes
    ) -> str:
        files = {
            "train.jsonl": canonical.lines(rows),
            "regressions.jsonl": canonical.lines(regressions),
            "corrected_topics.json": canonical.encode(sorted(topics)),
        } | {name.replace("_jsonl", ".jsonl"): data for name, data in more.items()}
        listed = [{"path": p, "sha256": canonical.sha256(d), "size": len(d)} for p, d in sorted(files.items())]
        manifest = {"schemaVersion": 1, "config_digest": "sha256:0", "files": listed, "counts": {}}
        return datasets.write(Vault(self.store, self.keyring), files, canonical.encode(manifest))

    def put_golden(self, data: bytes) -> str:
        self.store.at("team/").put(GOLDEN, data)
        return canonical.digest(data)

    def put_config_map(self, name: str, key: str, data: bytes) -> str:
        """As the kubelet mounts it; its digest."""
        path = self.home / "suites" / name / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return canonical.digest(data)

    def spec(self, stage: str, **fields: Any) -> dict[str, Any]:
        return {
            "stage": stage,
            "runId": f"{stage}-0123456789ab",
            "loop": {"namespace": "team-a", "name": "support-bot", "uid": self.uid},
            "runName": "support-bot-finetune-0123456789ab",
            "storage": self.s3.store("feedback", self.prefix).to_wire(),
            "models": self.s3.store("models").to_wire(),
            **fields,
        }

    def train_spec(self, base: Model, data_set: str, *, run: str = "0123456789ab", **hyper: Any) -> dict[str, Any]:
        settings = {"maxSteps": 40, "checkpointSteps": 10, "batchSize": 8} | hyper
        launcher, workers = settings.pop("launcher", "Process"), settings.pop("numWorkers", 0)
        return self.spec(
            "train",
            datasetDigest=data_set,
            base=base.to_wire(),
            registeredModel="support-bot",
            stages=[{"name": "sft", "method": "SFT", "hyperparameters": settings}],
            launcher=launcher,
            numWorkers=workers,
        ) | {"runId": f"train-{run}"}

    def evaluate_spec(self, champion: Model, candidate: Model, data_set: str, golden: str) -> dict[str, Any]:
        """The demo's suites and gates."""
        return self.spec(
            "evaluate",
            datasetDigest=data_set,
            champion=champion.to_wire(),
            candidate=candidate.to_wire(),
            goldenPrefix="team/",
            suites=[
                {"name": "golden", "source": {"objectName": GOLDEN, "digest": golden}},
                {"name": "regressions", "source": {"acceptedCorrections": {}}},
            ],
            gates=[
                {"name": "target", "suite": "regressions", "type": "Superiority"},
                {"name": "golden", "suite": "golden", "slice": "unchanged", "type": "NonInferiority", "margin": "0.05"},
            ],
        )

    def start(
        self, spec: Mapping[str, Any], attempt: int = 1, *, group: bool = False, **more: str
    ) -> subprocess.Popen[str]:
        """The job's process, in the trainer environment; on demand with a process group of its own."""
        (self.home / "spec.json").write_text(json.dumps(spec))
        # A new pod's scratch directory is empty.
        shutil.rmtree(self.scratch)
        self.scratch.mkdir()
        mounts = {
            "FL_SPEC": str(self.home / "spec.json"),
            "FL_SECRETS": str(self.home / "secrets"),
            "FL_SUITES": str(self.home / "suites"),
            "FL_SCRATCH": str(self.scratch),
            "FL_ATTEMPT": str(attempt),
            "HOME": str(self.scratch),
        }
        return subprocess.Popen(
            [trainer_python(), "-m", f"feedbackloop.jobs.{spec['stage']}"],
            env=environment(**mounts, **more),
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=(self.home / "stderr.log").open("w"),
            start_new_session=group,
        )

    def kill_group(self, process: subprocess.Popen[str]) -> None:
        """Everything that carries this pod's scratch directory in its environment, and nothing else."""
        process.kill()
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()

    def processes(self) -> list[int]:
        mark = f"FL_SCRATCH={self.scratch}".encode()
        return [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/environ") if mark in _read(path)]

    def trainer_pid(self) -> int:
        """The process in which Ray's worker trains, by the title that Ray gives it."""
        titles = {pid: _read(Path(f"/proc/{pid}/cmdline")) for pid in self.processes()}
        (found,) = [pid for pid, title in titles.items() if b"RayTrainWorker" in title]
        return found

    def finish(self, process: subprocess.Popen[str]) -> int:
        return process.wait(timeout=WITHIN_SECONDS)

    def run(self, spec: Mapping[str, Any], attempt: int = 1, **more: str) -> int:
        return self.finish(self.start(spec, attempt, **more))

    @property
    def log(self) -> str:
        return (self.home / "stderr.log").read_text()

    def json(self, spec: Mapping[str, Any], name: str = "result.json") -> Any:
        data = self.store.get(f"runs/{spec['runId']}/{name}")
        return None if data is None else json.loads(data)

    def step(self) -> int:
        """The step that the running training says it is at."""
        try:
            step: int = json.loads((self.work / "live.json").read_text())["step"]
        except (OSError, ValueError):
            return 0
        return step
