"""MLflow's traces and assessments, each written once: what is there already is looked for before writing."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from feedbackloop.jobs.assess.project import EVENT_ID, PREVIEW, SUPERSEDES, Draft, Trace
from feedbackloop.jobs.errors import InvalidSpec, StorageUnavailable
from feedbackloop.jobs.tracker import REFUSED, SETTINGS

log = logging.getLogger(__name__)
AT_ONCE = 100
"""Traces that are looked for in one request."""


class Made(NamedTuple):
    """An assessment that is there, and the event that its own event replaced."""

    assessment_id: str
    supersedes: str


Known = dict[str, dict[str, Made]]
"""By trace, which assessment an event has."""


@dataclass
class Written:
    """What was new."""

    traces: int = 0
    assessments: int = 0
    refused: int = 0


@dataclass
class Traces:
    """One experiment of one MLflow server."""

    uri: str
    experiment: str
    written: Written = field(default_factory=Written)

    def __post_init__(self) -> None:
        os.environ |= {name: value for name, value in SETTINGS.items() if name not in os.environ}

    def known(self, trace_ids: Iterable[str]) -> Known:
        """The traces that are there, with their events. Raises StorageUnavailable."""
        rest, found = iter(trace_ids), Known()
        while part := list(islice(rest, AT_ONCE)):
            with self._answering("traces"):
                for info in self._store.batch_get_trace_infos(part):
                    found[info.trace_id] = {
                        one.metadata[EVENT_ID]: Made(one.assessment_id, one.metadata.get(SUPERSEDES, ""))
                        for one in info.assessments
                        if one.metadata and EVENT_ID in one.metadata
                    }
        return found

    def put(self, trace: Trace, known: Known) -> None:
        """Makes the trace unless it is there. Raises StorageUnavailable."""
        if trace.trace_id in known:
            return
        from mlflow.entities import TraceInfo, TraceLocation, TraceState

        info = TraceInfo(
            trace_id=trace.trace_id,
            trace_location=TraceLocation.from_experiment_id(self._experiment_id),
            request_time=trace.request_time,
            state=TraceState.OK,
            request_preview=trace.request[:PREVIEW] or None,
            response_preview=trace.response[:PREVIEW] or None,
            trace_metadata=trace.metadata | _texts(trace),
            tags=trace.tags,
        )
        with self._answering("trace"):
            self._store.start_trace(info)
            known[trace.trace_id] = {}
            self.written.traces += 1

    def assess(self, trace_id: str, draft: Draft, known: Known) -> None:
        """Makes the assessment unless its event has one. Raises StorageUnavailable."""
        events = known.get(trace_id)
        if events is None:
            self.written.refused += 1
            return
        if draft.retracted:
            self._take_back(trace_id, draft, events)
        elif draft.event_id not in events:
            with self._answering("assessment"):
                replaced = events.get(draft.supersedes)
                made = self._store.create_assessment(_assessment(trace_id, draft, replaced))
                events[draft.event_id] = Made(made.assessment_id, draft.supersedes)
                self.written.assessments += 1

    def _take_back(self, trace_id: str, draft: Draft, events: dict[str, Made]) -> None:
        """With what it had replaced: MLflow would make that valid again."""
        made = events.pop(draft.supersedes, None)
        while made is not None:
            with self._answering("deletion"):
                self._store.delete_assessment(trace_id, made.assessment_id)
            made = events.pop(made.supersedes, None)

    @cached_property
    def _store(self) -> Any:
        from mlflow.tracing.client import TracingClient

        return TracingClient(self.uri).store

    @cached_property
    def _experiment_id(self) -> str:
        """The experiment, made when it is not there."""
        found = self._store.get_experiment_by_name(self.experiment)
        if found is None:
            return str(self._store.create_experiment(self.experiment, None, []))
        if found.lifecycle_stage != "active":
            raise InvalidSpec(f"experiment {self.experiment} was deleted: restore it, or name another one")
        return str(found.experiment_id)

    @contextmanager
    def _answering(self, what: str) -> Iterator[None]:
        """StorageUnavailable while MLflow is away or does not let us in; a refusal is counted and passed over."""
        from mlflow.exceptions import MlflowException

        try:
            yield
        except MlflowException as error:
            if error.error_code not in REFUSED:
                raise StorageUnavailable(f"MLflow at {self.uri}: {error.error_code}") from None
            self.written.refused += 1
            log.warning("MLflow at %s takes no %s: %s", self.uri, what, error.error_code)
        except OSError as error:  # requests' errors among them
            raise StorageUnavailable(f"MLflow at {self.uri}: {type(error).__name__}") from None


def _texts(trace: Trace) -> dict[str, str]:
    """Where MLflow keeps a trace's input and output when it has no spans; it cuts them itself."""
    texts = {"mlflow.traceInputs": trace.request, "mlflow.traceOutputs": trace.response}
    return {name: value for name, value in texts.items() if value}


def _assessment(trace_id: str, draft: Draft, replaced: Made | None) -> Any:
    from mlflow.entities import AssessmentSource, Expectation, Feedback

    shared: dict[str, Any] = {
        "trace_id": trace_id,
        "name": draft.name,
        "value": draft.value,
        "source": AssessmentSource(source_type=draft.source_type, source_id=draft.source_id),
        "metadata": draft.metadata,
        "create_time_ms": draft.at,
        "last_update_time_ms": draft.at,
    }
    if draft.expectation:
        return Expectation(**shared)
    return Feedback(**shared, rationale=draft.rationale, overrides=replaced.assessment_id if replaced else None)
