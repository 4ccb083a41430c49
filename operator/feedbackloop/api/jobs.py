"""The contract between operator and jobs: `spec.json` in, `progress.json` and `result.json` out.

The spec file is an immutable ConfigMap (`<loop>-<runId>-spec`) mounted at `/etc/feedbackloop/spec`.
Results are plain JSON in object storage below `<storage prefix>runs/<runId>/`: digests and numbers,
no private text. `result.json` is created once (`If-None-Match: *`) and last of all; whoever finds it
with the digests of its own spec is done. Exit codes are classes, see `ExitCode`.
"""

from __future__ import annotations

from enum import IntEnum

from feedbackloop.api.base import KubeModel, StatusModel
from feedbackloop.api.collection import Named, Signal
from feedbackloop.api.evaluation import Gate, Suite
from feedbackloop.api.feedbackloop import Model, PodOffset, Retention, SuiteLooks
from feedbackloop.api.gateway import KeyService, LoopRef, ObjectStore
from feedbackloop.api.improvement import Curation, Launcher, TrainingStage
from feedbackloop.api.rollout import ShadowMetric

SPEC_PATH = "/etc/feedbackloop/spec/spec.json"
SECRETS_PATH = "/etc/feedbackloop/secrets"
"""Directories below it: storage, models (read), models-write (train only), kek."""
SUITES_PATH = "/etc/feedbackloop/suites"
"""Directories below it: one for each ConfigMap with items, by its name; its keys are the files."""


class ExitCode(IntEnum):
    """The class of a job's end, which alone decides what happens next."""

    OK = 0
    INVALID_SPEC = 10
    INVALID_DATASET = 11
    DIVERGED = 12
    OUT_OF_MEMORY = 13
    STORAGE_UNAVAILABLE = 14
    BASE_MODEL_UNAVAILABLE = 15
    CONSENT_WITHDRAWN = 16
    PREEMPTED = 20


class MlflowRef(KubeModel):
    tracking_uri: str
    run_id: str


class JobSpec(KubeModel):
    """What every stage is told. The attempt is not part of it: it comes as `FL_ATTEMPT`."""

    schema_version: int = 1
    stage: str
    run_id: str
    loop: LoopRef
    run_name: str
    storage: ObjectStore
    encryption: KeyService = KeyService()
    mlflow: MlflowRef | None = None


class CurateSpec(JobSpec):
    cut: tuple[PodOffset, ...]
    signals: tuple[Signal, ...]
    consent_required: bool
    curation: Curation
    golden: tuple[Suite, ...] = ()
    """All suites; those that are files lie at `golden_prefix` + objectName in the storage bucket."""
    golden_prefix: str = ""
    config_maps: tuple[str, ...] = ()
    """Names whose keys are files below `/etc/feedbackloop/suites/<name>/`."""
    orphan_window_seconds: int = 86_400
    abandonment_seconds: int = 1800
    named: Named = Named.BEFORE_TRAINING
    """Whether names and addresses are to be replaced before anything is trained."""
    min_corroboration: int = 3
    train_candidate: bool = True
    """False when the run ends with its data set."""
    seed: int = 0


class TrainSpec(JobSpec):
    dataset_digest: str
    base: Model
    models: ObjectStore
    registered_model: str
    stages: tuple[TrainingStage, ...]
    launcher: Launcher
    num_workers: int = 0


class EvaluateSpec(JobSpec):
    dataset_digest: str
    champion: Model
    candidate: Model
    models: ObjectStore
    suites: tuple[Suite, ...]
    gates: tuple[Gate, ...]
    golden_prefix: str = ""
    max_new_tokens: int = 48
    judge: JudgeRef | None = None
    config_maps: tuple[str, ...] = ()
    """Names whose keys are files below `/etc/feedbackloop/suites/<name>/`."""
    looks: tuple[SuiteLooks, ...] = ()
    """How often the suites' items had decided when the run's inputs were pinned."""
    seed: int = 0


class JudgeRef(KubeModel):
    """A judge that may be asked. Its token, if any, is a file in `secrets/judge`."""

    url: str
    model: str
    family: str
    labels_object: str
    """The labels' key in the storage bucket."""
    labels_digest: str
    min_kappa: str = "0.6"
    max_requests: int = 4000


class ShadowSpec(JobSpec):
    """Compares the pairs of a shadow step."""

    rollout_run_uid: str
    """Of the run whose mirrored requests made the pairs."""
    metric: ShadowMetric
    max_pairs: int
    cut: tuple[PodOffset, ...] = ()
    """How far each pod's log is read; it is stored that far."""
    from_epoch: int = 0
    """Pairs of this epoch of the rollout and of later ones are compared."""
    judge: JudgeRef | None = None
    champion_digest: str
    candidate_digest: str
    consent_required: bool = True
    seed: int = 0


class SweepSpec(JobSpec):
    """Deletes what its retention has run out for, and verifies that it is gone."""

    retention: Retention
    registered_model: str = ""
    models: ObjectStore | None = None
    keep_models: tuple[str, ...] = ()
    """Digests that are served, were served or are candidates: never deleted."""
    keep_datasets: tuple[str, ...] = ()
    rejected_models: tuple[str, ...] = ()
    """Digests of candidates of this loop that never became champion: the only models that are ever deleted."""
    last_sweep: str = ""
    """RFC 3339; a clock behind it, or more than a day ahead of the store's, sweeps nothing."""
    force: bool = False
    """Somebody has confirmed that more than half of a class may go at once."""


class AssessSpec(JobSpec):
    """Projects new feedback into MLflow as assessments."""

    experiment: str
    cut: tuple[PodOffset, ...]
    since: tuple[PodOffset, ...] = ()
    signals: tuple[Signal, ...]
    consent_required: bool = True
    """Whether texts go to MLflow only with their author's consent."""


class ProgressFile(StatusModel):
    """`progress.json`, replaced at least every ten seconds."""

    run_id: str
    attempt: int
    step: int = 0
    total: int = 0
    loss: float | None = None
    remaining_seconds: int | None = None
    timestamp: str = ""


class Result(StatusModel):
    """What all results share. `spec_digest` is the sha256 (hex, prefixed `sha256:`) of the bytes of spec.json."""

    schema_version: int = 1
    run_id: str
    attempt: int
    spec_digest: str
    wall_seconds: float = 0.0
    peak_rss_mib: float = 0.0


class SweepResult(Result):
    deleted: dict[str, int] = {}
    """Objects (with all their versions) by class."""
    kept: dict[str, int] = {}
    """Expired objects that stayed, by reason (`legal-hold`, `in-use`, `clock`, `too-many`)."""
    verified: bool = False
    """Nothing that was deleted can be listed any more, no version and no delete marker."""
    swept_at: str = ""
    """RFC 3339; empty when the clock was not trusted."""
    message: str = ""
    """Why the clock was not trusted."""


class AssessResult(Result):
    assessments: int = 0
    traces: int = 0
    until: tuple[PodOffset, ...] = ()


class NamedEntities(StatusModel):
    """What became of the names and addresses in a data set's rows."""

    engine: str = ""
    model: str = ""
    """The model with its version and the digest of its weights; empty when nothing was replaced."""
    replaced: dict[str, int] = {}
    """Tokens by kind (PERSON, LOCATION, ADDRESS, ORGANIZATION)."""
    reason: str = ""
    """Why names were not looked for: `Never`, as the loop says, or `NoModel`."""
    message: str = ""
    """What is missing, for a person."""


class CurateResult(Result):
    dataset_digest: str
    """sha256 of the data set's manifest.json; the data set lies at `<storage prefix>datasets/<hex>/`."""
    events: int = 0
    interactions: int = 0
    bad_rows: int = 0
    funnel: dict[str, int] = {}
    """Rows left after each stage, in order."""
    excluded: dict[str, int] = {}
    """Feedback events or rows left out, by reason."""
    training_rows: int = 0
    correction_rows: int = 0
    replay_rows: int = 0
    regression_items: int = 0
    preference_pairs: int = 0
    slices: dict[str, int] = {}
    """Items per `suite` and `suite/slice`, for GateUnderpowered; `<slice>#intents` where items share intents."""
    suite_digests: dict[str, str] = {}
    """Digests of the suites whose items are known before an evaluation."""
    corrected_topics: int = 0
    computed: dict[str, int] = {}
    """Computed signals by `<signal>/<value>`."""
    correction_distance: float | None = None
    """The mean normalised edit distance of the corrections from what they correct."""
    agreement: float | None = None
    """Of raters with several votes on one item: the share of agreeing pairs."""
    ties: int = 0
    named: NamedEntities | None = None
    """Names and addresses in the rows."""


class TrainResult(Result):
    model: Model
    steps: int
    rows: int = 0
    """Rows that were trained on."""
    rows_withdrawn: int = 0
    """Rows of the data set that were left out, because somebody had withdrawn consent since it was built."""
    rows_digest: str = ""
    """Of the rows that were trained on."""
    resumed_from_step: int = 0
    final_loss: float
    launcher: Launcher


class Continuous(StatusModel):
    """A number by item, candidate minus champion, by the studentised bootstrap of `domain.statistics.bootstrap`."""

    clusters: int
    mean: float
    standard_error: float
    lower: float
    upper: float
    """Limits of the interval at 1 - 2 alpha."""
    p_value: float
    """Against: the mean difference is at least maxLoss."""
    replicates: int
    seed: int


class EffectiveCounts(StatusModel):
    """The counts of as many independent items as the clusters are worth (`domain.statistics.clustered`)."""

    n: int
    gains: int
    losses: int
    """Of a gate on the candidate alone: its failures."""
    design_effect: float


class GateCounts(StatusModel):
    name: str
    suite: str
    n: int
    both: int = 0
    only_champion: int = 0
    only_candidate: int = 0
    suite_digest: str = ""
    """The digest that the loop declares for the suite, else the sha256 of its canonical items."""
    clusters: int | None = None
    """Groups of items that share an intent; set when a gate's items say so."""
    effective: EffectiveCounts | None = None
    """What clustered items that are right or wrong count as in the exact tests."""
    continuous: Continuous | None = None
    value: float | None = None
    """Of a Limit gate: the candidate's value."""
    judge_labels: tuple[int, ...] = ()
    """Of a gate that a judge scores: `JudgeQuality.table`, by which its wins are corrected
    (`domain.statistics.prediction_powered`)."""
    advisory: str = ""
    """Why this gate may decide nothing, such as a judge below its kappa."""
    error: str = ""
    """Why there are no counts: the gate fails closed."""
    evidence_digest: str = ""
    """Of `gates/<name>.json` beside the result: items' digests and scores, so that anybody can recompute."""

    @property
    def neither(self) -> int:
        return self.n - self.both - self.only_champion - self.only_candidate


class JudgeQuality(StatusModel):
    """The judge against human labels."""

    model: str
    prompt_digest: str
    labels: int
    consistent: int
    """Labels on which both orders agreed."""
    agreement: float
    """The share of labels on which judge and people say the same."""
    kappa: float
    """Cohen's, over win, tie and loss."""
    kappa_lower: float
    """Its one-sided 95 % limit."""
    table: tuple[int, ...] = ()
    """Labels by (judge, people), each loss, tie or win of the candidate: nine counts, the judge's losses first."""
    position_bias: float = 0.0
    """Verdicts for the answer shown first minus those for the second, as a share of all verdicts; 0 is fair."""
    length_bias: float = 0.0
    """Labels on which the judge wrongly prefers the longer answer minus those with the shorter, as a share."""
    unreadable: int = 0
    """Verdicts on labels that were no JSON of the agreed form; they count as ties."""


class ShadowResult(Result):
    pairs: int
    wins: int
    losses: int
    ties: int
    inconsistent: int = 0
    """Ties because the judge changed its mind with the order."""
    skipped: int = 0
    """Pairs without consent, or that could not be compared."""
    advisory: str = ""
    """Why the wins and losses may decide nothing, such as a judge below its kappa."""
    judge: JudgeQuality | None = None


class EvaluateResult(Result):
    judge: JudgeQuality | None = None
    champion_digest: str
    candidate_digest: str
    gates: tuple[GateCounts, ...]
    accuracy: dict[str, dict[str, float]] = {}
    """suite to {champion, candidate}: for people."""
