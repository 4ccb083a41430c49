"""Gates: what has to be shown on a suite before a candidate gets any traffic."""

from __future__ import annotations

from enum import StrEnum

from feedbackloop.api.base import Decimal, KubeModel, Name, Probability, Rule


class GateType(StrEnum):
    NON_INFERIORITY = "NonInferiority"
    SUPERIORITY = "Superiority"
    NO_NEW_FAILURES = "NoNewFailures"
    CEILING = "Ceiling"
    BOOTSTRAP = "Bootstrap"
    """Of a continuous metric: the studentised paired bootstrap of the mean difference, clustered where items say so."""
    LIMIT = "Limit"
    """Of one number of the candidate, such as its p95 latency or its size."""


class Slice(StrEnum):
    UNCHANGED = "unchanged"
    """Items whose topic has no accepted correction in the run's data set."""


class Metric(StrEnum):
    """How an answer is scored; which gate types take which is in docs/gates.md."""

    # right or wrong, by item
    CONTAINS_ANSWER = "contains_answer"
    EXACT_MATCH = "exact_match"
    VALID_JSON = "valid_json"
    STOPPED = "stopped"
    """The answer ended by itself, not by the length bound."""
    NOT_EMPTY = "not_empty"
    NO_REFUSAL = "no_refusal"
    NOT_TOXIC = "not_toxic"
    UNBIASED = "unbiased"
    """Both answers of a counterfactual pair agree in outcome, and in length within a quarter."""
    NOT_MEMORISED = "not_memorised"
    JUDGED_BETTER = "judged_better"
    """The judge prefers the candidate's answer in both orders (champion's wins are the losses; the rest ties)."""
    LM_EVAL = "lm_eval"
    """The accuracy metric of the suite's lm-evaluation-harness task, by item."""
    # a number, by item
    OUTPUT_TOKENS = "output_tokens"
    LATENCY_MS = "latency_ms"
    TOXICITY = "toxicity"
    """The scorer's probability."""
    # a number of the model
    MODEL_BYTES = "model_bytes"


CONTINUOUS = frozenset({Metric.OUTPUT_TOKENS, Metric.LATENCY_MS, Metric.TOXICITY})
OF_THE_MODEL = frozenset({Metric.MODEL_BYTES})


class GateEffect(StrEnum):
    REQUIRED = "Required"
    """The candidate needs it."""
    ADVISORY = "Advisory"
    """Shown beside the others; decides nothing."""


class Gate(KubeModel):
    rules = (
        Rule(
            "has(self.margin) == (self.type == 'NonInferiority')",
            'margin: a NonInferiority gate needs a margin such as "0.05", other gates have none',
        ),
        Rule(
            "has(self.maxFailures) == (self.type == 'Ceiling')",
            'maxFailures: a Ceiling gate needs the largest failing share, such as "0.02", other gates have none',
        ),
        Rule(
            "has(self.maxLoss) == (self.type == 'Bootstrap')",
            "maxLoss: a Bootstrap gate needs the largest increase of its metric's mean, other gates have none",
        ),
        Rule(
            "has(self.maxValue) == (self.type == 'Limit')",
            "maxValue: a Limit gate needs the largest value of its metric, other gates have none",
        ),
        Rule(
            "(self.type == 'Bootstrap') == (has(self.metric) && self.metric in ['output_tokens', 'latency_ms',"
            " 'toxicity'] && self.type != 'Limit') && (self.type != 'Limit' || (has(self.metric)"
            " && self.metric in ['model_bytes', 'latency_ms', 'output_tokens']))",
            "metric: Bootstrap takes output_tokens, latency_ms or toxicity; Limit takes model_bytes, latency_ms or"
            " output_tokens; the other types take a metric that is right or wrong by item",
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
    effect: GateEffect = GateEffect.REQUIRED
    """Whether the candidate needs it. A judge below its declared kappa is advisory whatever this says."""
    margin: Probability | None = None
    """The loss that would still be accepted, as a proportion of the items."""
    max_failures: Probability | None = None
    """The share of the candidate's failing items that a Ceiling gate still accepts."""
    max_loss: Decimal | None = None
    """The increase of the metric's mean that a Bootstrap gate still accepts, in the metric's unit."""
    max_value: Decimal | None = None
    """The largest value that a Limit gate accepts; of a metric by item it is the 95th percentile."""
    alpha: Probability = "0.05"
    """The error rate of this gate."""
