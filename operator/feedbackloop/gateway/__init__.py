"""The gateway: the loop's sensor and actuator, one process a pod.

apps.*        raw ASGI: what the three ports understand
ingest        feedback events and posted interactions to records
proxy         chat completions: assignment, upstream, streaming, the logged interaction
journal       the log, the state that is a fold over it, and the index of seen ids
wal, recovery the group-commit log on the volume, and reading it after a crash
state, units  counters, units, attribution windows: pure, rebuilt from the log
uploader      sealed segments to object storage
config_source the watched ConfigMap or file
"""
