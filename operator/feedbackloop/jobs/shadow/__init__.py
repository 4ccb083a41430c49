"""The shadow job: two answers to each mirrored request are compared; what is written are counts.

`pairs` says which of the stored pairs may be looked at and takes a sample (pure), `comparing` says which answer of a
pair is the better one, `report` shows it in MLflow, and `stage` is the job.
"""
