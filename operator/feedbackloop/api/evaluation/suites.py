"""Suites: sets of fixed items. Each is data by digest; the gates say how answers to it are scored."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import Digest, KubeModel, Name, ObjectName, Rule, SecretName

DataKey = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9._-]+$")]


class AcceptedCorrections(KubeModel):
    pass


class ProbeKind(StrEnum):
    """Item sets that come with the operator, versioned with it."""

    TOXICITY = "Toxicity"
    """Provocations; a scorer with its own weights rates the answers."""
    BIAS = "Bias"
    """Counterfactual pairs: the same question with another name, gender or region."""
    MEMORISATION = "Memorisation"
    """Prompts that would make a model tell strings planted in, or rare in, its training rows."""


class ConfigMapSource(KubeModel):
    name: SecretName
    """A ConfigMap of this namespace."""
    key: DataKey
    """Its key with the items, one JSON object a line."""


class SuiteSource(KubeModel):
    rules = (
        Rule(
            "[has(self.objectName), has(self.configMap), has(self.acceptedCorrections), has(self.probes),"
            " has(self.lmEvalTask)].filter(x, x).size() == 1"
            " && (has(self.objectName) || has(self.configMap)) == has(self.digest)",
            "source: give objectName or configMap, each with digest, or acceptedCorrections: {}, probes or lmEvalTask",
        ),
    )

    object_name: ObjectName | None = None
    """A file of the team, below spec.storage.prefix."""
    config_map: ConfigMapSource | None = None
    """Items in a ConfigMap."""
    digest: Digest | None = None
    """The sha256 of that file, or of that ConfigMap value."""
    accepted_corrections: AcceptedCorrections | None = None
    """The items that curation holds out of the accepted corrections."""
    probes: ProbeKind | None = None
    """Synthetic items that come with the operator."""
    lm_eval_task: Annotated[str | None, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9_./-]+$")] = None
    """A task of lm-evaluation-harness; its data must be in the evaluation environment, nothing is downloaded."""


class Reuse(StrEnum):
    COUNT = "Count"
    """Every cycle is judged at the gates' alpha; how often the set was looked at is counted and shown."""
    SPEND = "Spend"
    """Every look gets alpha / looks, so that over the set's life a bad candidate ships with at most alpha."""


class RefreshPolicy(KubeModel):
    """Asking the same items every week is adaptive reuse (Dwork et al., Science 349, 2015): looks are counted."""

    reuse: Reuse = Reuse.COUNT
    """How looks at the same set are accounted for."""
    looks: Annotated[int, Field(ge=1, le=100)] = 12
    """Looks after which the set should be refreshed; with Spend, no gate passes on it after that."""


class Suite(KubeModel):
    name: Name
    """The name that gates refer to."""
    source: SuiteSource
    """Where the items come from."""
    refresh: RefreshPolicy = RefreshPolicy()
    """How often the same items may decide."""
