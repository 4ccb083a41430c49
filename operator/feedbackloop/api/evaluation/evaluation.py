"""`spec.evaluation`: the suites of fixed items and the gates a candidate must pass on them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from feedbackloop.api.base import KubeModel, Rule, list_map
from feedbackloop.api.evaluation.gates import Gate
from feedbackloop.api.evaluation.judge import Judge
from feedbackloop.api.evaluation.suites import Suite


class Evaluation(KubeModel):
    rules = (
        Rule(
            "self.gates.all(g, self.suites.exists(s, s.name == g.suite))",
            "gates: every gate's suite must be one of suites",
        ),
        Rule(
            "self.gates.exists(g, !has(g.effect) || g.effect == 'Required')",
            "gates: at least one gate must be Required",
        ),
        Rule(
            "has(self.judge) || self.gates.all(g, !has(g.metric) || g.metric != 'judged_better')",
            "gates: metric judged_better needs evaluation.judge",
        ),
        Rule(
            "!has(self.judge) || self.judge.family != self.judge.targetFamily",
            "judge: a model must not judge its own family",
        ),
    )

    suites: Annotated[tuple[Suite, ...], Field(min_length=1, max_length=8, json_schema_extra=list_map("name"))]
    """The sets of items."""
    gates: Annotated[tuple[Gate, ...], Field(min_length=1, max_length=16, json_schema_extra=list_map("name"))]
    """Every Required one must be Successful before a candidate gets any traffic."""
    judge: Judge | None = None
    """Who compares answers where a gate or a shadow step asks for it."""
    max_new_tokens: Annotated[int, Field(ge=1, le=4096)] = 48
    """The longest answer that is generated for an item."""
