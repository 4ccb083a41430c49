"""Curate, train, evaluate: what each is given, and what its result means for the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from feedbackloop.api.adminconfig import PodProfile
from feedbackloop.api.conditions import ConditionType, Reason
from feedbackloop.api.evaluation import Gate, GateEffect
from feedbackloop.api.feedbackloop import ModelStatus
from feedbackloop.api.improvementrun import DatasetStatus, GateResult, ReasonCount, RunOutcome, StageName, StageState
from feedbackloop.api.jobs import CurateResult, EvaluateResult, NamedEntities, Result, TrainResult
from feedbackloop.api.rolloutstatus import Verdict
from feedbackloop.domain import gates as gating
from feedbackloop.domain.errors import UserError
from feedbackloop.domain.jobs import specs
from feedbackloop.domain.jobs.identity import render
from feedbackloop.domain.jobs.specs import Brief
from feedbackloop.domain.lifecycle.run_inputs import brief
from feedbackloop.domain.lifecycle.run_stage import Plan, run_stage, stage_of
from feedbackloop.domain.lifecycle.run_turn import Turn
from feedbackloop.domain.statistics.numerals import numeral, percent

R = TypeVar("R", bound=Result)
EVALUATE_HALVINGS = 3


def curate(turn: Turn) -> Turn:
    """Events up to the cut become a data set."""
    if _done(turn, StageName.CURATE):
        return turn
    b = brief(turn)
    plan = Plan(
        name=StageName.CURATE,
        title="Curating",
        doing=Reason.CURATING,
        concern=ConditionType.DATASET_READY,
        spec=render(specs.curate(b)),
        loop=b.spec,
        profile=turn.admin.jobs,
        deadline_seconds=b.improvement.training.active_deadline_seconds,
        halvings=0,
        accept=_typed(CurateResult, _curated),
    )
    return run_stage(turn, plan)


def train(turn: Turn) -> Turn:
    """The data set and the champion become a candidate."""
    dataset = turn.status.dataset
    if dataset is None or _done(turn, StageName.TRAIN):
        return turn
    b = brief(turn)
    batch_size = max((s.hyperparameters.batch_size for s in b.improvement.training.stages), default=1)
    plan = Plan(
        name=StageName.TRAIN,
        title="Training",
        doing=Reason.TRAINING,
        concern=ConditionType.TRAINED,
        spec=render(specs.train(b, dataset.digest)),
        loop=b.spec,
        profile=_profile(b),
        deadline_seconds=b.improvement.training.active_deadline_seconds,
        halvings=batch_size.bit_length() - 1,
        accept=_typed(TrainResult, _trained),
    )
    return run_stage(turn, plan)


def evaluate(turn: Turn) -> Turn:
    """Champion and candidate answer the same items; the gates judge at once."""
    dataset, candidate = turn.status.dataset, turn.status.candidate
    if dataset is None or candidate is None or _done(turn, StageName.EVALUATE):
        return turn
    b = brief(turn)
    plan = Plan(
        name=StageName.EVALUATE,
        title="Evaluating",
        doing=Reason.EVALUATING,
        concern=ConditionType.EVALUATED,
        spec=render(specs.evaluate(b, dataset.digest, candidate)),
        loop=b.spec,
        profile=_profile(b),
        deadline_seconds=b.improvement.training.active_deadline_seconds,
        halvings=EVALUATE_HALVINGS,
        accept=_typed(EvaluateResult, _evaluated),
    )
    return run_stage(turn, plan)


def _done(turn: Turn, name: StageName) -> bool:
    stage = stage_of(turn, name)
    return stage is not None and stage.state is StageState.SUCCEEDED


def _profile(b: Brief) -> PodProfile:
    name = b.improvement.training.profile_name
    found = b.admin.profile(name)
    if found is None:
        raise UserError(Reason.UNKNOWN_PROFILE, f"profileName: the admin declares no profile {name}")
    return found


def _typed(kind: type[R], take: Callable[[Turn, R], Turn]) -> Callable[[Turn, Result], Turn]:
    def accept(turn: Turn, result: Result) -> Turn:
        assert isinstance(result, kind)
        return take(turn, result)

    return accept


def _curated(turn: Turn, result: CurateResult) -> Turn:
    excluded = sorted(result.excluded.items(), key=lambda item: (-item[1], item[0]))
    dataset = DatasetStatus(
        digest=result.dataset_digest,
        events=result.events,
        interactions=result.interactions,
        training_rows=result.training_rows,
        regression_items=result.regression_items,
        preference_pairs=result.preference_pairs,
        ties=result.ties,
        agreement=None if result.agreement is None else numeral(result.agreement),
        bad_rows=result.bad_rows,
        excluded=tuple(ReasonCount(reason=r, count=n) for r, n in excluded[:32]),
    )
    numbers = _yield(result)
    turn = turn.update(dataset=dataset).found(ConditionType.DATASET_READY, True, Reason.CURATED, numbers)
    return _worth_training(_named(turn.record(Reason.CURATED, numbers), result.named), result)


def _named(turn: Turn, named: NamedEntities | None) -> Turn:
    """Whether names went from the rows; said, and decided by nobody."""
    if named is None:
        return turn
    about = ConditionType.NAMED_ENTITIES_REDACTED
    if named.engine:
        counts = ", ".join(f"{count} {kind}" for kind, count in named.replaced.items()) or "nothing"
        return turn.found(about, True, Reason.NAMES_REPLACED, f"{named.engine} with {named.model} replaced {counts}")
    reason = Reason.NAMES_KEPT if named.reason == "Never" else Reason.NO_MODEL
    return turn.found(about, False, reason, named.message)


def _yield(result: CurateResult) -> str:
    """What the events became, in a sentence."""
    rows = f"{result.events} events made {result.training_rows} training rows"
    if not result.preference_pairs:
        return rows
    agreement = "" if result.agreement is None else f", raters agree in {percent(result.agreement)}"
    return f"{rows} and {result.preference_pairs} preference pairs ({result.ties} ties{agreement})"


def _worth_training(turn: Turn, result: CurateResult) -> Turn:
    """Whether the run goes on: it trains at all, on enough rows, and its gates could pass."""
    b = brief(turn)
    if not b.improvement.training.stages:
        return turn.end(RunOutcome.COMPLETED, Reason.DATASET_ONLY, f"data set {result.dataset_digest} is ready")
    least = b.improvement.curation.min_examples
    if result.training_rows < least:
        return turn.end(
            RunOutcome.SKIPPED,
            Reason.NOT_ENOUGH_EXAMPLES,
            f"{result.training_rows} training rows, minExamples is {least}",
        )
    return _powered(turn, b, result)


def _powered(turn: Turn, b: Brief, result: CurateResult) -> Turn:
    """A gate that cannot pass is told before anything is trained: on so few items, or on items that are used up."""
    levels = gating.levels(b.evaluation, result.suite_digests, b.inputs.suite_looks)
    spent = gating.exhausted(b.evaluation, levels)
    if spent:
        turn = turn.found(ConditionType.GATE_UNDERPOWERED, True, Reason.SUITE_EXHAUSTED, spent)
        return turn.end(RunOutcome.GATED, Reason.SUITE_EXHAUSTED, spent)
    short = gating.underpowered(b.evaluation.gates, result.slices, levels, _sizes_unknown(b))
    message = "; ".join(str(s) for s in short)
    if not any(s.effect is GateEffect.REQUIRED for s in short):
        return turn.found(ConditionType.GATE_UNDERPOWERED, False, Reason.ENOUGH_ITEMS, message)
    turn = turn.found(ConditionType.GATE_UNDERPOWERED, True, Reason.TOO_FEW_ITEMS, message)
    return turn.end(RunOutcome.GATED, Reason.TOO_FEW_ITEMS, message)


def _sizes_unknown(b: Brief) -> frozenset[str]:
    """Suites that only the evaluation's environment can open."""
    return frozenset(suite.name for suite in b.evaluation.suites if suite.source.lm_eval_task is not None)


def _trained(turn: Turn, result: TrainResult) -> Turn:
    digest = result.model.digest
    candidate = ModelStatus(
        uri=result.model.uri,
        digest=digest,
        short=digest.removeprefix("sha256:")[:12],
        since=turn.at,
        run_name=turn.seen.name,
    )
    numbers = f"{candidate.short} after {result.steps} steps, loss {result.final_loss:.4f}"
    turn = turn.update(candidate=candidate).found(ConditionType.TRAINED, True, Reason.TRAINED, numbers)
    return turn.record(Reason.TRAINED, numbers)


def _evaluated(turn: Turn, result: EvaluateResult) -> Turn:
    counts, b = {c.name: c for c in result.gates}, brief(turn)
    levels = gating.levels_of(b.evaluation, counts, b.inputs.suite_looks)
    gates = tuple(
        gating.judge(g, counts[g.name], levels[g.name]) if g.name in counts else _missing(g) for g in b.evaluation.gates
    )
    turn = turn.update(gates=gates).found(ConditionType.EVALUATED, True, Reason.EVALUATED)
    spent = bool(gating.exhausted(b.evaluation, levels))
    return _judged(turn.record(Reason.EVALUATED, _verdicts(gates)), gates, spent)


def _judged(turn: Turn, gates: Sequence[GateResult], spent: bool) -> Turn:
    """Only gates that are Required decide, and at least one must be left to do so."""
    deciding = [g for g in gates if gating.decides(g)]
    failed = [g for g in deciding if g.verdict is not Verdict.SUCCESSFUL]
    if deciding and not failed:
        return turn.found(ConditionType.GATES_PASSED, True, Reason.ALL_PASSED, _verdicts(gates))
    shown = any(g.verdict is Verdict.FAILED for g in failed)
    otherwise = Reason.SUITE_EXHAUSTED if spent else Reason.GATE_INCONCLUSIVE
    reason = Reason.GATE_FAILED if shown else otherwise
    message = _verdicts(failed) if failed else f"every gate is advisory, none decides: {_verdicts(gates)}"
    return turn.found(ConditionType.GATES_PASSED, False, reason, message).end(RunOutcome.GATED, reason, message)


def _missing(gate: Gate) -> GateResult:
    return GateResult(
        name=gate.name,
        verdict=Verdict.ERROR,
        type=gate.type.value,
        effect=gate.effect.value,
        n=0,
        both=0,
        only_champion=0,
        only_candidate=0,
        message="the evaluation has no counts for this gate",
    )


def _verdicts(gates: Sequence[GateResult]) -> str:
    return "; ".join(map(_verdict, gates))


def _verdict(gate: GateResult) -> str:
    name = gate.name if gating.decides(gate) else f"{gate.name} (advisory)"
    return f"{name} {gate.verdict.value}: {gate.message}" if gate.message else f"{name} {gate.verdict.value}"
