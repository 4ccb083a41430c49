"""`python -m feedbackloop.jobs.train`"""

import sys

from feedbackloop.api.jobs import TrainResult, TrainSpec
from feedbackloop.jobs.runtime import main
from feedbackloop.jobs.train.stage import run

if __name__ == "__main__":
    sys.exit(main(TrainSpec, TrainResult, run))
