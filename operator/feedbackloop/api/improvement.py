"""`spec.improvements`: a declared way to get better, with its own trigger."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import Decimal, Fraction, KubeModel, Name, Rule, list_map


class ImprovementType(StrEnum):
    FINE_TUNE = "FineTune"


class Launcher(StrEnum):
    PROCESS = "Process"
    RAY_TRAIN = "RayTrain"


class Method(StrEnum):
    SFT = "SFT"


class Trigger(KubeModel):
    min_new_signals: Annotated[int, Field(ge=1, le=100_000_000)]
    """Start a run once this many new trainable signals are stored."""
    cooldown_seconds: Annotated[int, Field(ge=0, le=31_536_000)] = 86_400
    """Wait at least this long after a run's end; the first run never waits."""


class Curation(KubeModel):
    rules = (
        Rule(
            "double(self.replayRatio) > 0.0 || (has(self.allowForgetting) && self.allowForgetting)",
            "replayRatio: training on corrections alone makes a model forget; use 1.0, or set allowForgetting: true",
        ),
    )

    replay_ratio: Decimal = "1.0"
    """Accepted answers replayed for each corrected one, so that the model keeps what it knows."""
    allow_forgetting: bool = False
    """Accept a replayRatio of 0."""
    max_subject_share: Fraction | None = None
    """The largest share of the training rows that one subject may contribute."""
    min_examples: Annotated[int, Field(ge=1, le=10_000_000)] = 8
    """With fewer training rows than this the run is skipped as NotEnoughExamples."""


class Hyperparameters(KubeModel):
    learning_rate: Decimal = "1e-3"
    """The peak learning rate."""
    max_steps: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    """The number of optimiser steps."""
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 16
    """Examples an optimiser step; split into micro-batches when memory is short."""
    max_length: Annotated[int, Field(ge=16, le=131_072)] = 256
    """The longest example in tokens."""
    seed: Annotated[int, Field(ge=0, le=2_147_483_647)] = 3
    """The seed of data order and initialisation."""
    checkpoint_steps: Annotated[int, Field(ge=1, le=1_000_000)] = 25
    """A checkpoint every so many steps."""


class TrainingStage(KubeModel):
    name: Name
    """The name of this stage."""
    method: Method
    """The training method."""
    hyperparameters: Hyperparameters = Hyperparameters()
    """The method's settings."""


class Ray(KubeModel):
    num_workers: Annotated[int, Field(ge=0, le=1)] = 1
    """Ray Train workers inside the training pod; 0 runs the loop in the driver."""


class Training(KubeModel):
    launcher: Launcher = Launcher.PROCESS
    """Process trains in the job's own process; RayTrain goes through Ray Train inside the pod."""
    ray: Ray = Ray()
    """Settings of the RayTrain launcher."""
    stages: Annotated[tuple[TrainingStage, ...], Field(max_length=1, json_schema_extra=list_map("name"))]
    """The training stages in order; an empty list ends the run after curation, with a data set only."""
    profile_name: Name
    """The pod profile, of those the admin declares, that trains and evaluates."""
    active_deadline_seconds: Annotated[int, Field(ge=60, le=2_592_000)] = 14_400
    """The longest a stage may take over all its attempts, in seconds."""


class Improvement(KubeModel):
    name: Name
    """The name of this improvement; it is part of the names of its runs."""
    type: ImprovementType = ImprovementType.FINE_TUNE
    """How it gets better."""
    trigger: Trigger
    """When a run starts."""
    curation: Curation = Curation()
    """How stored signals become a data set."""
    training: Training
    """How a data set becomes a candidate."""
