"""Retention: what has expired is deleted in all its versions, and that is verified.

`clock` decides whether the time can be trusted, `plan` what goes (both pure), `bucket` is the I/O, `stage` the job.
It touches the folders of its classes only: never `keys/`, never `ledger/`.
"""
