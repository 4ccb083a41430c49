"""`python -m feedbackloop.jobs.evaluate`"""

import sys

from feedbackloop.api.jobs import EvaluateResult, EvaluateSpec
from feedbackloop.jobs.evaluate.stage import run
from feedbackloop.jobs.runtime import main

if __name__ == "__main__":
    sys.exit(main(EvaluateSpec, EvaluateResult, run))
