"""Positive samples: values, transformed, planted into sentences."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.bench.recall.sample import Sample, Value
from tests.bench.recall.sentences import sentence
from tests.bench.recall.transforms import SURROUNDINGS, TRANSFORMS
from tests.bench.recall.values import MAKERS, values


def samples(per_cell: int, seed: int) -> Iterator[Sample]:
    """So many samples for each type and transform (fewer where a transform does not apply to a value)."""
    for kind in MAKERS:
        for transform in TRANSFORMS:
            source = random.Random(f"{kind}/{transform}/{seed}")
            for value in values(kind, per_cell, seed):
                sample = planted(value, transform, source)
                if sample is not None:
                    yield sample


def planted(value: Value, transform: str, source: random.Random) -> Sample | None:
    """The transformed value in a sentence of its locale; None where the transform does not apply."""
    changed = TRANSFORMS[transform](value, source)
    if changed is None:
        return None
    before, after = sentence(source, value.kind, value.locale).split("{}")
    left, right = source.choice(SURROUNDINGS.get(transform, (("", ""),)))
    start = len(before) + len(left)
    return Sample(
        f"{before}{left}{changed}{right}{after}", start, start + len(changed), value.kind, transform, value.locale
    )
