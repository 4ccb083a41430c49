"""A fake world around a real API server: everything that the operator asks or waits for, moved by a test's clock.

Fake are the kubelet (pods become ready, or end, by themselves), the jobs (results without work), object
storage, MLflow, and the gateways (counts from a seeded model of voters). Real are the API server and its
controllers: Deployments, StatefulSets and Jobs make their pods themselves.

The state of the world outlives the operator, and can be kept in a file, so that an operator's process may be killed.
"""
