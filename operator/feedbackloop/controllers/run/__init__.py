"""The controller of ImprovementRuns: it gathers, lets `run_decide` decide, and does what was decided."""

from feedbackloop.controllers.run.controller import RunController

__all__ = ["RunController"]
