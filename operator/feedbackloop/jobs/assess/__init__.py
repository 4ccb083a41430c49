"""Feedback as MLflow assessments: an asynchronous projection, never the source of truth.

`events` reads what is new, `project` says what it is in MLflow's words (both without MLflow), `traces` writes it
there, each thing once however often a job is repeated, and `stage` is the job.
"""
