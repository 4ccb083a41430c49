"""Trains a compression dictionary for single records: `python -m tests.support.record_dictionary NUMBER`.

Stored records name the dictionary that they were compressed with, so that a number, once released, is never
trained again: a new one is made instead. The texts are generated; what counts is the shape of the records.
"""

from __future__ import annotations

import random
import sys
import uuid
from pathlib import Path

import zstandard
from faker import Faker

from feedbackloop.events import codec
from feedbackloop.events.records import Context, FeedbackRecord, InteractionRecord, Message, Output, Serving

TARGET = Path(__file__).resolve().parents[2] / "operator/feedbackloop/events/dictionary"
BYTES = 8192


class Samples:
    """Records as a loop stores them, by a seeded generator."""

    def __init__(self, seed: int) -> None:
        self.chance, self.text = random.Random(seed), Faker()
        self.text.seed_instance(seed)

    def pseudonym(self) -> str:
        return self.chance.randbytes(16).hex()

    def name(self) -> str:
        return str(uuid.UUID(bytes=self.chance.randbytes(16), version=4))

    def feedback(self) -> FeedbackRecord:
        kind, value = self.chance.choice(
            [("Thumbs", True), ("Thumbs", False), ("Comment", self.text.sentence(12)), ("Dwell", 1_234), ("Stars", 4),
             ("Correction", self.text.paragraph(3)), ("Reason", "inaccurate"), ("Copy", 300), ("Exposure", None)]
        )  # fmt: skip
        return FeedbackRecord(
            event_id=self.name(),
            received_at=1_790_000_000_000 + self.chance.randrange(10**11),
            subject=self.pseudonym(),
            signal=kind.lower(),
            kind=kind,
            value=value,  # type: ignore[arg-type]
            output_id=self.name(),
            session=self.pseudonym(),
            arm=self.chance.choice(["stable", "canary"]),
            run_uid=self.name(),
            epoch=self.chance.randrange(6),
            started_at=1_790_000_000_000 + self.chance.randrange(10**11),
            consent=self.chance.choice([True, False, None]),
            trainable=self.chance.choice([True, False]),
            fingerprint=self.chance.getrandbits(63),
            channel="token",
        )

    def interaction(self) -> InteractionRecord:
        serving = Serving(run_uid=self.name(), epoch=3, digest=f"sha256:{self.chance.randbytes(32).hex()}",
                          latency_ms=812, counted=True)  # fmt: skip
        return InteractionRecord(
            event_id=self.name(),
            received_at=1_790_000_000_000 + self.chance.randrange(10**11),
            subject=self.pseudonym(),
            messages=(Message("system", self.text.sentence(9)), Message("user", self.text.sentence(15))),
            outputs=(Output(self.name(), self.text.paragraph(3)),),
            session=self.pseudonym(),
            consent=True,
            context=Context(turn_id=self.name(), prompt_template="support@3", segment="trial", region="eu"),
            serving=serving,
            fingerprint=self.chance.getrandbits(63),
            channel="proxy",
        )


def main(number: int) -> None:
    samples = Samples(number)
    records: list[bytes | bytearray | memoryview] = [
        codec.encode(samples.feedback() if n % 3 else samples.interaction()) for n in range(6000)
    ]
    trained = zstandard.train_dictionary(BYTES, records, level=1, dict_id=number)
    TARGET.joinpath(f"{number}.zdict").write_bytes(trained.as_bytes())


if __name__ == "__main__":
    main(int(sys.argv[1]))
