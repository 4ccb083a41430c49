"""lm-evaluation-harness for real, in the `lmeval` environment, with a task of our own and the demo's base model."""

from __future__ import annotations

import json
import subprocess
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from examples.support_bot.golden import items
from tests.support import envs
from tests.trainer.pod import environment

pytestmark = [pytest.mark.trainer, pytest.mark.faults]
ITEMS = 12
CALL = (
    "import sys, msgspec; from pathlib import Path; from feedbackloop.jobs import lmeval; "
    "print(msgspec.json.encode(lmeval.evaluate(Path(sys.argv[1]), sys.argv[2])).decode())"
)
TASK = """\
task: fl_support
dataset_path: json
dataset_kwargs:
  data_files: {{test: {items}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{question}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["\\n\\n"], max_gen_toks: 32, do_sample: false}}
metric_list:
  - {{metric: exact_match, aggregation: mean, higher_is_better: true, ignore_case: true, ignore_punctuation: true}}
metadata: {{version: 1.0}}
"""


def harness(directory: Path, task: str, tasks: Path) -> subprocess.CompletedProcess[str]:
    python = envs.ensure("lmeval") / "bin" / "python"
    return subprocess.run(
        [python, "-c", CALL, directory, task],
        env=environment(FL_LMEVAL_TASKS=str(tasks)),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def tasks(base: Path, tmp_path: Path) -> Path:
    """Questions whose answers are the model's own, but for every fourth."""
    golden = list(islice(items(), ITEMS))
    said = answers(base, [item["messages"] for item in golden])
    rows = [
        {"question": item["messages"][-1]["content"], "answer": "never" if number % 4 == 3 else said[number]}
        for number, item in enumerate(golden)
    ]
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "fl_support.yaml").write_text(TASK.format(items=tmp_path / "items.jsonl"))
    return tmp_path


def answers(directory: Path, conversations: list[list[dict[str, str]]]) -> list[str]:
    """What our own generation says, in the same environment."""
    code = (
        "import json, sys; from pathlib import Path; from feedbackloop.jobs.generation import Request, load; "
        "asked = [Request(m, 32) for m in json.load(sys.stdin)]; "
        "print(json.dumps([a.text for a in load(Path(sys.argv[1])).generate(asked)]))"
    )
    python = envs.ensure("lmeval") / "bin" / "python"
    done = subprocess.run(
        [python, "-c", code, directory],
        input=json.dumps(conversations),
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[str] = json.loads(done.stdout)
    return found


def scored(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_a_task_gives_right_and_wrong_by_item_and_twice_the_same(base: Path, tasks: Path) -> None:
    first, second = (scored(harness(base, "fl_support", tasks)) for _ in range(2))
    assert first == second
    assert [right for _, right in first["items"]] == [number % 4 != 3 for number in range(ITEMS)]
    assert first["scorer"].startswith("lm-eval/0.4.13 fl_support exact_match fl_support@1.0")
    assert first["digest"].startswith("sha256:")


@pytest.mark.parametrize(
    ("task", "error"),
    [
        ("fl_nothing", "InvalidSpec: lmEvalTask fl_nothing: there is no such task"),
        ("hellaswag", "InvalidDataset: lmEvalTask hellaswag: its data are not in this environment"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_downloaded(base: Path, tasks: Path, task: str, error: str) -> None:
    done = harness(base, task, tasks)
    assert done.returncode == 1
    assert error in done.stderr
