"""`spec.evaluation`: the suites of fixed items and the gates a candidate must pass on them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import Digest, KubeModel, Name, ObjectName, Probability, Rule, list_map


class GateType(StrEnum):
    NON_INFERIORITY = "NonInferiority"
    SUPERIORITY = "Superiority"
    NO_NEW_FAILURES = "NoNewFailures"
    CEILING = "Ceiling"


class Slice(StrEnum):
    UNCHANGED = "unchanged"
    """Items whose topic has no accepted correction in the run's data set."""


class Metric(StrEnum):
    CONTAINS_ANSWER = "contains_answer"


class AcceptedCorrections(KubeModel):
    pass


class SuiteSource(KubeModel):
    rules = (
        Rule(
            "(has(self.objectName) && has(self.digest)) != has(self.acceptedCorrections)"
            " && has(self.objectName) == has(self.digest)",
            "source: give objectName and digest of a file, or acceptedCorrections: {}",
        ),
    )

    object_name: ObjectName | None = None
    """A file of the team, below spec.storage.prefix."""
    digest: Digest | None = None
    """The sha256 of that file."""
    accepted_corrections: AcceptedCorrections | None = None
    """The items that curation holds out of the accepted corrections."""


class Suite(KubeModel):
    name: Name
    """The name that gates refer to."""
    source: SuiteSource
    """Where the items come from."""


class Gate(KubeModel):
    rules = (
        Rule(
            "(self.type == 'NonInferiority') == has(self.margin)",
            'margin: a NonInferiority gate needs a margin such as "0.05", other gates have none',
        ),
        Rule(
            "(self.type == 'Ceiling') == has(self.maxFailures)",
            'maxFailures: a Ceiling gate needs the largest failing share, such as "0.02", other gates have none',
        ),
    )

    name: Name
    """The name of this gate."""
    suite: Name
    """The suite whose items are used."""
    slice: Slice | None = None
    """Only these items of the suite; all of them when unset."""
    metric: Metric = Metric.CONTAINS_ANSWER
    """How an output is scored."""
    type: GateType
    """What has to be shown, candidate against champion on the same items."""
    margin: Probability | None = None
    """The loss that would still be accepted, as a proportion of the items."""
    max_failures: Probability | None = None
    """The share of the candidate's failing items that a Ceiling gate still accepts."""
    alpha: Probability = "0.05"
    """The error rate of this gate."""


class Evaluation(KubeModel):
    rules = (
        Rule(
            "self.gates.all(g, self.suites.exists(s, s.name == g.suite))",
            "gates: every gate's suite must be one of suites",
        ),
    )

    suites: Annotated[tuple[Suite, ...], Field(min_length=1, max_length=8, json_schema_extra=list_map("name"))]
    """The sets of items."""
    gates: Annotated[tuple[Gate, ...], Field(min_length=1, max_length=16, json_schema_extra=list_map("name"))]
    """All of them must be Successful before a candidate gets any traffic."""
    max_new_tokens: Annotated[int, Field(ge=1, le=4096)] = 48
    """The longest answer that is generated for an item."""
