"""What holds a client together: its connection, the signals' names, sending now or in the background."""

from __future__ import annotations

import atexit
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from feedbackloop.client.background import Background, Stats
from feedbackloop.client.errors import FeedbackError, Refused
from feedbackloop.client.events import Draft
from feedbackloop.client.sender import Result, Sender
from feedbackloop.client.signals import Signals
from feedbackloop.client.transport import Transport

REMEMBERED = 1000
"""Events that a retraction may name without saying more."""


class Connected:
    """A client of one gateway's port, without the methods for its signals."""

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        app_token: str | None = None,
        signals: Mapping[str, str] | None = None,
        timeout: float = 5.0,
        total: float = 30.0,
        background: bool = False,
        queue: int = 10_000,
    ) -> None:
        """`signals` names the signal of a kind (`{"Thumbs": "helpful"}`); without it the gateway is asked.

        `timeout` is that of one attempt, `total` that of all of them, in seconds; `queue` bounds background events.
        """
        bearer = token or app_token
        if not bearer or (token and app_token):
            raise FeedbackError("token or app_token: give exactly one of them")
        self._sender = Sender(Transport(url, timeout=timeout), bearer, within=total)
        self._signals = Signals(signals or {}, self._sender.signals)
        self._sent: OrderedDict[str, Draft] = OrderedDict()
        self._background = Background(self._deliver, most=queue) if background else None
        if self._background is not None:
            atexit.register(self._background.close, timeout)

    @property
    def stats(self) -> Stats:
        """What became of background events."""
        return self._background.stats if self._background is not None else Stats()

    def interaction(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Posts an answer that was served elsewhere, now (`POST /v1/interactions`); needs the app token."""
        return self._sender.interaction(body)

    def send(self, events: Sequence[Mapping[str, Any]]) -> Result:
        """Sends events as they are, now; what became of each."""
        return self._sender.events(events)

    def flush(self, timeout: float = 10.0) -> bool:
        """Waits until all background events were sent; whether that came to be in time."""
        return self._background is None or self._background.flush(timeout)

    def close(self, timeout: float = 10.0) -> None:
        """Sends what is left for so long, then ends."""
        if self._background is not None:
            self._background.close(timeout)
            atexit.unregister(self._background.close)
        self._sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _give(self, *drafts: Draft) -> str:
        for made in drafts:
            self._sent[made.event_id] = made
        while len(self._sent) > REMEMBERED:
            self._sent.popitem(last=False)
        if self._background is not None:
            self._background.put(drafts)
        else:
            _raise_first(self._deliver(drafts))
        return drafts[0].event_id

    def _deliver(self, drafts: Sequence[Draft]) -> Result:
        return self._sender.events([self._named(made) for made in drafts])

    def _named(self, made: Draft) -> dict[str, Any]:
        return {"signal": made.name or self._signals.name(made.kind, made.dimension), **made.body}


def _raise_first(result: Result) -> None:
    for rejection in result.rejected:
        raise Refused(rejection.code, rejection.path, rejection.message)
