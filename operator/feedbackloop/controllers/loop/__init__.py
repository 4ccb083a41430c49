"""The controller of `FeedbackLoop`: gather, decide, one status write, effects."""
