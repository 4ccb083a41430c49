"""FeedbackLoop: a Kubernetes operator that closes the feedback loop of a served language model."""

__version__ = "0.1.0"
