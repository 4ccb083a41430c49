"""`python -m feedbackloop.jobs.curate`"""

import sys

from feedbackloop.api.jobs import CurateResult, CurateSpec
from feedbackloop.jobs.curate.job import run
from feedbackloop.jobs.runtime import main

if __name__ == "__main__":
    sys.exit(main(CurateSpec, CurateResult, run))
