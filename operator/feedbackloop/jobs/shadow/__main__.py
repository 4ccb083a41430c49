"""`python -m feedbackloop.jobs.shadow`"""

import sys

from feedbackloop.api.jobs import ShadowResult, ShadowSpec
from feedbackloop.jobs.runtime import main
from feedbackloop.jobs.shadow.stage import run

if __name__ == "__main__":
    sys.exit(main(ShadowSpec, ShadowResult, run))
