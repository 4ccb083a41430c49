"""The templates of presidio-evaluator: one redactor call a sentence, scored by its types."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.recall.score import Cell, Redact, replaced_spans, tally
from tests.support import envs

CLAIMED = {
    "EMAIL_ADDRESS": "Email",
    "PHONE_NUMBER": "Phone",
    "CREDIT_CARD": "CreditCard",
    "IBAN_CODE": "Iban",
    "US_SSN": "Ssn",
    "IP_ADDRESS": "IpAddress",
}
"""Its types that the first stage claims to find; the others are reported as not claimed."""


def sentences(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """The generated sentences, made by a process of the `piibench` environment."""
    home = envs.ensure("piibench")
    script = Path(__file__).with_name("evaluator_dump.py")
    command = [str(home / "bin/python"), str(script), str(count), str(seed)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return (json.loads(line) for line in done.stdout.splitlines())


def score(count: int, seed: int, redact: Redact) -> tuple[dict[str, Cell], Cell]:
    """Cells by type, and one of all replaced characters (right: inside any span of any type)."""
    cells: dict[str, Cell] = defaultdict(Cell)
    total = Cell()
    for sentence in sentences(count, seed):
        text = sentence["text"]
        redacted = redact(text)
        for kind, start, end in tally(cells, total, sentence, replaced_spans(text, redacted)):
            if kind in CLAIMED and "-v" in sys.argv:
                print(kind, text[max(0, start - 40) : end + 10], "->", redacted, file=sys.stderr)
    return dict(cells), total
