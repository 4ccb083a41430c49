"""Run by the interpreter of the `piibench` environment: sentences of presidio-evaluator's templates as JSON lines.

Each line is `{"text", "spans": [[type, start, end]]}`. Nothing is fetched.
"""

from __future__ import annotations

import contextlib
import json
import sys

from presidio_evaluator.data_generator import PresidioSentenceFaker
from presidio_evaluator.data_generator.faker_extensions import HospitalProvider


def main() -> None:
    """Prints as many lines as the first argument says, seeded by the second."""
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    HospitalProvider.load_wiki_hospitals = lambda _self: ["Apollo Hospital", "St. Mary Hospital"]
    with contextlib.redirect_stdout(sys.stderr):
        maker = PresidioSentenceFaker("en_US", lower_case_ratio=0.05, random_seed=seed)
        made = maker.generate_new_fake_sentences(count)
    for sample in made:
        spans = [[span.entity_type, span.start_position, span.end_position] for span in sample.spans]
        print(json.dumps({"text": sample.full_text, "spans": spans}))


if __name__ == "__main__":
    main()
