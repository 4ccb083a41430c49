"""The evaluate job: champion and candidate answer the same items; what is written are counts.

Only whether an answer is right is kept. The text of an answer appears in no result, log or MLflow artefact.
"""
