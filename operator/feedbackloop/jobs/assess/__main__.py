"""`python -m feedbackloop.jobs.assess`"""

import sys

from feedbackloop.api.jobs import AssessResult, AssessSpec
from feedbackloop.jobs.assess.stage import run
from feedbackloop.jobs.runtime import main

if __name__ == "__main__":
    sys.exit(main(AssessSpec, AssessResult, run))
