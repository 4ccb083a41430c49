"""A judge: any OpenAI-compatible model that compares two answers, held against people.

`open_judge` reads the labels, `Judge.calibrate` asks it about them, `Judge.compare` about pairs of answers: always in
both orders, at temperature 0, and only a verdict that survives the exchange counts. `advisory` says why a judge
may decide nothing. Texts go to the judge and nowhere else; what is kept are counts.
"""

from feedbackloop.jobs.judging.comparing import Comparison, Pair, Preference
from feedbackloop.jobs.judging.family import same_family
from feedbackloop.jobs.judging.judge import Judge, open_judge
from feedbackloop.jobs.judging.quality import advisory

__all__ = ["Comparison", "Judge", "Pair", "Preference", "advisory", "open_judge", "same_family"]
