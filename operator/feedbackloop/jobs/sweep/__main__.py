"""`python -m feedbackloop.jobs.sweep`"""

import sys

from feedbackloop.api.jobs import SweepResult, SweepSpec
from feedbackloop.jobs.runtime import main
from feedbackloop.jobs.sweep.stage import run

if __name__ == "__main__":
    sys.exit(main(SweepSpec, SweepResult, run))
