"""The sequence of the train job."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from feedbackloop.api.feedbackloop import Model
from feedbackloop.api.improvement import Launcher, TrainingStage
from feedbackloop.api.jobs import TrainResult, TrainSpec
from feedbackloop.jobs import artefact, datasets, ledger
from feedbackloop.jobs.errors import BaseModelUnavailable, InvalidSpec, Preempted
from feedbackloop.jobs.patience import patiently
from feedbackloop.jobs.runtime import Job
from feedbackloop.jobs.tracker import Tracker
from feedbackloop.jobs.train import dataset
from feedbackloop.jobs.train.follower import Follower
from feedbackloop.jobs.train.live import Live
from feedbackloop.jobs.train.plan import Batch, Outcome, Plan

log = logging.getLogger(__name__)


def run(job: Job[TrainSpec]) -> TrainResult:
    plan = prepare(job)
    tracker = Tracker(job.spec.mlflow)
    follower = Follower(Live(plan.work), job.progress, tracker)
    with follower:
        outcome = launch(job, plan)
    # From here on there is nothing to save: SIGTERM ends the job at once.
    job.stopping.hook = None
    if job.stopping.requested.is_set():
        raise Preempted(f"SIGTERM at the last step, {outcome.steps}")
    model = publish(job, plan.model)
    patiently(follower.look, job.stopping.requested)
    patiently(lambda: tracker.parameters(parameters(job, model)), job.stopping.requested)
    patiently(lambda: ledger.append(job, "training.finished", model=model.digest), job.stopping.requested)
    return TrainResult(
        **job.identity(),
        model=model,
        steps=outcome.steps,
        rows=plan.used,
        rows_withdrawn=plan.withdrawn,
        rows_digest=plan.rows_digest,
        resumed_from_step=outcome.resumed_from,
        final_loss=outcome.final_loss,
        launcher=job.spec.launcher,
    )


def prepare(job: Job[TrainSpec]) -> Plan:
    """Everything that the training reads, in the scratch directory."""
    work = job.place.scratch / "train"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    rows, base = work / dataset.ROWS, work / "base"
    heads = ledger.of_json(datasets.read_manifest(job.vault(), job.spec.dataset_digest).ledger)
    consents = ledger.read(job, known=heads)
    used = dataset.fetch(job.vault(), job.spec.dataset_digest, rows, consents.standings())
    told = {"dataset": job.spec.dataset_digest, "rows": used.rows, "withdrawn": used.withdrawn}
    ledger.append(job, "training.started", consents.heads, attempt=job.attempt, rowsDigest=used.digest, **told)
    fetch_base(job, base)
    log.info("%d rows, %d withdrawn since, base %s", used.rows, used.withdrawn, job.spec.base.digest)
    stage = stage_of(job.spec)
    return Plan(
        run_id=job.spec.run_id,
        spec_digest=job.spec_digest,
        base=base,
        rows=rows,
        used=used.rows,
        withdrawn=used.withdrawn,
        rows_digest=used.digest,
        work=work,
        hyperparameters=stage.hyperparameters,
        batch=Batch.of(stage.hyperparameters.batch_size, job.place.halvings),
        storage=job.spec.storage,
        encryption=job.spec.encryption,
        loop_uid=job.spec.loop.uid,
        secrets=job.place.secrets,
    )


def stage_of(spec: TrainSpec) -> TrainingStage:
    if len(spec.stages) != 1:
        raise InvalidSpec(f"stages: {len(spec.stages)} stages; this image trains exactly one")
    return spec.stages[0]


def fetch_base(job: Job[TrainSpec], into: Path) -> None:
    try:
        artefact.fetch(job.open(job.spec.models, "models"), job.spec.base, into)
    except artefact.ArtefactError as error:
        raise BaseModelUnavailable(str(error)) from None


def launch(job: Job[TrainSpec], plan: Plan) -> Outcome:
    """By the launcher of the spec; each imports its stack only when it is chosen."""
    if job.spec.launcher is Launcher.RAY_TRAIN:
        from feedbackloop.jobs.train import ray_launcher

        return ray_launcher.launch(plan, job.stopping, job.spec.num_workers)
    from feedbackloop.jobs.train import process

    return process.launch(plan, job.stopping)


def publish(job: Job[TrainSpec], directory: Path) -> Model:
    """Push the artefact by the write credential; the same bits again are the same artefact."""
    store = job.open(job.spec.models, "models-write")
    made: list[Model] = []
    patiently(lambda: made.append(artefact.push(store, job.spec.registered_model, directory)), job.stopping.requested)
    return made[-1]


def parameters(job: Job[TrainSpec], model: Model) -> dict[str, str]:
    """What a reader of the MLflow run wants to know; nothing in it changes from attempt to attempt."""
    spec, stage = job.spec, stage_of(job.spec)
    settings = {f"train.{name}": str(value) for name, value in stage.hyperparameters.to_wire().items()}
    return {
        **settings,
        "train.method": stage.method.value,
        "train.launcher": spec.launcher.value,
        "train.dataset_digest": spec.dataset_digest,
        "train.base_digest": spec.base.digest,
        "train.model_digest": model.digest,
    }
