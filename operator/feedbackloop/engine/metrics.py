"""What the operator tells Prometheus. One value of `Metrics` a process; tests make their own, each with its registry.

The names follow controller-runtime's, so that its dashboards can be read across.
"""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second line for each counter that nobody reads

_BUCKETS = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_WRITES = frozenset({"create", "apply", "patch", "update", "delete"})


class Metrics:
    """All counters and gauges of the control plane."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.reconciles = self._counter("reconcile", "Reconciles by kind and result.", "kind", "result")
        self.errors = self._counter("reconcile_errors", "Failed reconciles by kind and family.", "kind", "family")
        self.seconds = Histogram(
            "feedbackloop_reconcile_time_seconds",
            "How long reconciles take.",
            ["kind"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.depth = self._gauge("queue_depth", "Keys that are ready and wait for a worker.")
        self.age = self._gauge("queue_oldest_seconds", "How long the oldest ready key waits.")
        self.running = self._gauge("reconcile_longest_running_seconds", "How long the longest running reconcile runs.")
        self.requests = self._counter("api_requests", "API requests by verb.", "verb", "resource", "code")
        self.writes = self._counter("api_writes", "API requests that write.", "resource")
        self.leader = self._gauge("leader", "1 while this process holds the lease.")
        self.watch_events = self._counter("watch_events", "Events that the watches brought.", "kind")
        self.watch_stale = self._counter("watch_stale", "Objects that a watch should have brought and did not.", "kind")
        self.loop_lag = self._gauge("loop_lag_seconds", "How late the event loop's last tick was.")

    def request(self, verb: str, resource: str, code: str) -> None:
        """Count a request to the API server."""
        self.requests.labels(verb, resource, code).inc()
        if verb in _WRITES:
            self.writes.labels(resource).inc()

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"feedbackloop_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"feedbackloop_{name}", text, registry=self.registry)
