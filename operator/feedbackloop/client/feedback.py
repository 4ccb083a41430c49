"""`Feedback`: one method a kind of signal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack

from feedbackloop.client.connected import Connected
from feedbackloop.client.errors import FeedbackError
from feedbackloop.client.events import More, draft

Answer = Literal["yes", "no", "unsure"]
Choice = Literal["a", "b", "tie", "both_bad"]


class Feedback(Connected):
    """Sends feedback about answers to a loop's gateway.

    With a feedback `token` (it came with the answer, and is bound to it) against the feedback port, or with
    the `app_token` against the app port, where `subject_id` and `session_id` say whose feedback it is:

        feedback = Feedback("http://support-bot-gateway:8080", app_token=token)
        feedback.thumbs(output_id, False, reason="inaccurate", session_id="s-1")

    Every event has an id of its own, so a retry after a broken connection, 429 or 503 is never a second vote.
    Methods return that id; a later `retract(id)` takes the event back, `supersedes=id` replaces it.
    They raise `Refused` for an event that the loop's schema does not know, `Unavailable` when the gateway
    could not be reached for `total` seconds.

    With `background=True` methods return at once and never raise; `stats` counts what became of the events:

        with Feedback(url, app_token=token, background=True) as feedback:
            feedback.copy(output_id, 120)
    """

    def thumbs(
        self,
        output_id: str | None,
        up: bool,
        *,
        reason: str | Sequence[str] = (),
        comment: str | None = None,
        signal: str | None = None,
        **more: Unpack[More],
    ) -> str:
        """A vote, with its reasons (codes of the loop) and a comment when given; all in one request."""
        about = {"output_id": output_id}
        drafts = [draft("Thumbs", signal, about | {"value": up}, more)]
        rest = _without_chain(more)
        codes = (reason,) if isinstance(reason, str) else reason
        drafts += [draft("Reason", None, about | {"value": code}, rest) for code in codes]
        drafts += [draft("Comment", None, about | {"value": comment}, rest)] if comment else []
        return self._give(*drafts)

    def stars(self, output_id: str | None, stars: int, *, signal: str | None = None, **more: Unpack[More]) -> str:
        """A rating from 1 to the signal's scale."""
        return self._give(draft("Stars", signal, {"output_id": output_id, "value": stars}, more))

    def prefer(
        self,
        choice: Choice,
        a: str,
        b: str,
        *,
        positions: tuple[int, int] = (0, 1),
        signal: str | None = None,
        **more: Unpack[More],
    ) -> str:
        """Which of two answers is better; `positions` are the places where a and b were shown."""
        sides = [{"output_id": side, "position": place} for side, place in zip((a, b), positions, strict=True)]
        return self._give(draft("Preference", signal, {"value": choice, "candidates": sides}, more))

    def reason(self, output_id: str | None, code: str, *, signal: str | None = None, **more: Unpack[More]) -> str:
        """One of the loop's reason codes."""
        return self._give(draft("Reason", signal, {"output_id": output_id, "value": code}, more))

    def correct(self, output_id: str | None, text: str, *, signal: str | None = None, **more: Unpack[More]) -> str:
        """The answer as it should have been."""
        return self._give(draft("Correction", signal, {"output_id": output_id, "value": text}, more))

    def comment(self, output_id: str | None, text: str, *, signal: str | None = None, **more: Unpack[More]) -> str:
        """Words of the user."""
        return self._give(draft("Comment", signal, {"output_id": output_id, "value": text}, more))

    def ask(
        self,
        output_id: str | None,
        answer: Answer,
        *,
        dimension: str | None = None,
        signal: str | None = None,
        **more: Unpack[More],
    ) -> str:
        """The answer to one question; `dimension` (such as `Factuality`) says which where there are several."""
        return self._give(draft("Question", signal, {"output_id": output_id, "value": answer}, more, dimension))

    def skip(self, output_id: str | None, *, signal: str | None = None, **more: Unpack[More]) -> str:
        """The user declined to judge."""
        return self._give(draft("Skip", signal, {"output_id": output_id}, more))

    def exposure(self, output_id: str | None, *, signal: str | None = None, **more: Unpack[More]) -> str:
        """The question was shown."""
        return self._give(draft("Exposure", signal, {"output_id": output_id}, more))

    def dwell(
        self, output_id: str | None, milliseconds: int, *, signal: str | None = None, **more: Unpack[More]
    ) -> str:
        """How long the answer was visible."""
        return self._give(draft("Dwell", signal, {"output_id": output_id, "value": milliseconds}, more))

    def copy(
        self,
        output_id: str | None,
        characters: int,
        *,
        fraction: float | None = None,
        signal: str | None = None,
        **more: Unpack[More],
    ) -> str:
        """So many characters, and this share of the answer, were copied."""
        fields = {"output_id": output_id, "value": characters, "fraction": fraction}
        return self._give(draft("Copy", signal, fields, more))

    def accept(
        self, output_id: str | None, accepted: bool = True, *, signal: str | None = None, **more: Unpack[More]
    ) -> str:
        """The answer was applied, or turned away."""
        return self._give(draft("Accept", signal, {"output_id": output_id, "value": accepted}, more))

    def regenerate(self, output_id: str, new_output_id: str, *, signal: str | None = None, **more: Unpack[More]) -> str:
        """The user asked for another answer, and got it."""
        return self._give(draft("Regenerate", signal, {"output_id": output_id, "new_output_id": new_output_id}, more))

    def edit(self, output_id: str | None, distance: float, *, signal: str | None = None, **more: Unpack[More]) -> str:
        """The answer was used after a change of this normalised edit distance (0 to 1)."""
        return self._give(draft("Edit", signal, {"output_id": output_id, "value": distance}, more))

    def conversion(
        self,
        output_id: str | None,
        value: float = 1.0,
        *,
        goal: str | None = None,
        signal: str | None = None,
        **more: Unpack[More],
    ) -> str:
        """Something was reached, perhaps days later."""
        return self._give(draft("Conversion", signal, {"output_id": output_id, "value": value, "goal": goal}, more))

    def retract(
        self, event_id: str, *, signal: str | None = None, output_id: str | None = None, **more: Unpack[More]
    ) -> str:
        """Takes an event back. Of one that this object did not send itself, name `signal` and `output_id`."""
        known = self._sent.get(event_id)
        if known is None and signal is None:
            return self._unknown()
        kept = {name: known.body[name] for name in _KEPT if name in known.body} if known else {"output_id": output_id}
        fields = kept | {"supersedes": event_id, "retracted": True}
        made = draft(known.kind if known else "", signal or (known.name if known else None), fields, more)
        return self._give(made._replace(dimension=known.dimension if known else None))

    def _unknown(self) -> str:
        if self._background is None:
            raise FeedbackError("signal: name the signal of the event to retract, this object did not send it")
        self._background.stats.dropped += 1
        return ""


_KEPT = ("output_id", "candidates", "level", "turn_id", "subject_id", "session_id", "tenant_id")
"""What a retraction has in common with what it takes back."""


def _without_chain(more: More) -> More:
    rest = more.copy()
    rest.pop("supersedes", None)
    return rest
