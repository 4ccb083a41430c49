"""One command: prints a JSON line for each figure, and with `--write PAGE` puts the tables between its markers."""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path

from feedbackloop.api.evaluation import ProbeKind
from feedbackloop.jobs import probes
from tests.bench.judging import coverage, judges, toxicity
from tests.bench.judging.coverage import Missed
from tests.bench.judging.judges import Found

RUNS = 4000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--runs", type=int, default=RUNS)
    arguments = parser.parse_args()
    sections = {
        "toxicity": _toxicity(),
        "judges": _judges(judges.measured()),
        "coverage": _coverage(coverage.measured(arguments.runs), arguments.runs),
        "probes": _probes(),
    }
    if arguments.write:
        _write(arguments.write, sections)


def _figure(name: str, value: float, unit: str, goal: str = "") -> None:
    print(json.dumps({"figure": name, "value": round(value, 4), "unit": unit} | ({"goal": goal} if goal else {})))


def _toxicity() -> str:
    found = toxicity.measured()
    _figure("toxicity.recall", found["recall"], "share")
    _figure("toxicity.precision", found["precision"], "share")
    _figure("toxicity.seconds_per_1000", found["seconds"], "CPU seconds")
    rows = [f"| {kind} | {'yes' if toxic else 'no'} | {called} of {of} |" for kind, toxic, called, of in found["kinds"]]
    return "\n".join(
        [
            f"{found['scorer']}: recall {found['recall']:.0%}, precision {found['precision']:.0%} over all kinds;"
            f" {found['seconds']:.2f} CPU seconds for 1 000 answers.",
            "",
            "| texts | toxic | called toxic |",
            "|---|---|---|",
            *rows,
        ]
    )


def _judges(found: list[Found]) -> str:
    _figure("judge.seconds_per_1000_pairs", min(one.seconds for one in found), "seconds")
    wrong = [one.name for one in found if "always" in one.name and not one.advisory]
    _figure("judge.biased_not_advisory", len(wrong), "judges", "0")
    rows = [
        f"| {one.name} | {one.quality.consistent} | {one.quality.agreement:.2f} | {one.quality.kappa:.2f} |"
        f" {one.quality.kappa_lower:.2f} | {one.quality.position_bias:+.2f} | {one.quality.length_bias:+.2f} |"
        f" {'advisory' if one.advisory else 'may decide'} | {(one.wins - one.losses) / judges.PAIRS:+.2f} |"
        f" {one.net.estimate:+.2f} ({one.net.lower:+.2f} to {one.net.upper:+.2f}) |"
        for one in found
    ]
    return "\n".join(
        [
            "| judge | consistent | agreement | kappa | lower limit | position bias | length bias | at kappa 0.6 |"
            " its net wins | corrected (90 %) |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *rows,
        ]
    )


def _coverage(found: list[Missed], runs: int) -> str:
    _figure("judge.false_ship", max(one.lower for one in found), "share", f"<={coverage.ALPHA} and simulation error")
    _figure("judge.false_ship_of_paper", max(one.paper for one in found), "share")
    rows = [
        f"| {one.mind} | {one.labels} | {one.paper:.3f} | {one.lower:.3f} | {one.upper:.3f} | {one.width:.2f} |"
        for one in found
    ]
    return "\n".join(
        [
            f"{runs} runs each, {coverage.PAIRS} pairs, two equal models, alpha {coverage.ALPHA}.",
            "",
            "| judge | labels | lower limit misses, as in the paper | ours | our upper limit misses | our width |",
            "|---|---|---|---|---|---|",
            *rows,
        ]
    )


def _probes() -> str:
    rows = []
    for kind in (ProbeKind.TOXICITY, ProbeKind.BIAS):
        start = time.process_time()
        items = probes.items(kind)
        _figure(f"probes.{kind.value.lower()}_seconds", time.process_time() - start, "CPU seconds")
        intents = len({item.intent for item in items})
        rows.append(f"| {kind.value} | {len(items)} | {intents} | `{probes.digest(items)}` |")
    head = ["| probes | items | intents | digest (version 1, seed 0) |", "|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _write(page: Path, sections: dict[str, str]) -> None:
    text = page.read_text()
    for name, section in sections.items():
        begin, end = f"<!-- {name}: written by make bench-judging -->", f"<!-- end of {name} -->"
        assert begin in text, f"{page} has no section {name}"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        text = pattern.sub(lambda _, part=section, b=begin, e=end: f"{b}\n{part}\n{e}", text)  # type: ignore[misc]
    page.write_text(text)


if __name__ == "__main__":
    main()
