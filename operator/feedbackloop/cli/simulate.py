"""`feedbackloop simulate LOOP.yaml --from EVENTS.jsonl[.gz]`: what this rollout policy would have done."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedbackloop.cli.main import Commands
    from feedbackloop.cli.simulation.drive import Simulation
    from feedbackloop.cli.simulation.plan import Plan


def register(commands: Commands) -> None:
    simulate = commands.add_parser("simulate", help="run a loop's rollout policy over a recorded log")
    simulate.description = (
        "Sessions, votes, latencies and errors come from the log, assignment and counting from the gateway's code, the"
        " decisions from the operator's. Exit code 0 whatever is decided; 2: the loop or the log cannot be used."
    )
    simulate.add_argument("loop", type=Path, metavar="LOOP.yaml", help="a FeedbackLoop with spec.rollout")
    simulate.add_argument(
        "--from",
        dest="log",
        type=Path,
        required=True,
        metavar="EVENTS",
        help="*.jsonl, *.jsonl.gz, or a folder of them",
    )
    simulate.add_argument(
        "--effect",
        type=_ratio,
        default=1.0,
        metavar="RATIO",
        help="the candidate's event rate relative to the log's: 1 is an equal candidate, 2 a harmful one (default: 1)",
    )
    simulate.add_argument("--seed", type=int, default=0, help="of the effect's random choices (default: 0)")
    simulate.add_argument("--replicas", type=int, default=2, help="of the target (default: 2)")
    simulate.add_argument("--start-seconds", type=float, default=60.0, help="until a new pod is ready (default: 60)")
    simulate.add_argument("--svg", type=Path, metavar="FILE", help="write the picture of weight and evidence there")
    simulate.add_argument("--output", choices=("text", "json"), default="text")
    simulate.set_defaults(run=_simulate)


def _ratio(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError("a ratio is a number between 0 and 100")
    return value


def _simulate(wanted: argparse.Namespace) -> int:
    from feedbackloop.cli.simulation import log, plan, story
    from feedbackloop.cli.simulation.picture import svg

    try:
        policy = plan.read(wanted.loop)
        done = _done(wanted, policy)
    except (plan.LoopError, log.LogError) as error:
        print(f"feedbackloop: {error}", file=sys.stderr)
        return 2
    if wanted.svg is not None:
        wanted.svg.write_text(svg(done, f"{wanted.loop.name}, effect {wanted.effect:g}"))
    if wanted.output == "json":
        print(json.dumps(story.document(done)))
        return 0
    _tell(wanted, policy, done)
    return 0


def _done(wanted: argparse.Namespace, policy: Plan) -> Simulation:
    from feedbackloop.cli.simulation.crowd import Crowd
    from feedbackloop.cli.simulation.drive import Assumptions, Simulation
    from feedbackloop.cli.simulation.log import LogError, read

    entries = read(wanted.log)
    crowd = Crowd(entries, policy.spec.outcomes, policy.signals, effect=wanted.effect, seed=wanted.seed)
    if not crowd.sessions:
        raise LogError(f"{wanted.log}: it has no answers: every line names a signal")
    assumed = Assumptions(wanted.replicas, wanted.start_seconds)
    done = Simulation(policy.spec, crowd, policy.signals, assumed)
    done.run()
    return done


def _tell(wanted: argparse.Namespace, policy: Plan, done: Simulation) -> None:
    from feedbackloop.cli.simulation import story

    sessions = done.crowd.sessions
    lines = sum(len(s.entries) for s in sessions)
    print(f"{wanted.loop.name} over {wanted.log.name}: {lines} events of {len(sessions)} sessions")
    for effect in done.crowd.effects:
        print(f"assumed: {effect.outcome.name} of the candidate {effect.ratio:g} × the base rate of {effect.base:.4f}")
    for note in policy.notes:
        print(f"assumed: {note}")
    print()
    for line in story.timeline(done):
        print(line)
    print()
    for line in story.summary(done):
        print(line)
    if wanted.svg is not None:
        print(f"{'picture':<20}{wanted.svg}")
