"""A real Kubernetes on this machine, built from package registries, for the API and end-to-end tests and the demo.

`python3 -m tests.cluster up` starts one. Other code imports `tests.cluster.api`.
Only the standard library is used, so that the system's Python can start a cluster before any environment is installed.
"""
