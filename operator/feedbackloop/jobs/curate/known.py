"""Finding the interaction that an event speaks of, and what to do while there is none."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from feedbackloop.jobs.curate.reasons import Reason
from feedbackloop.jobs.curate.rows import Feedback, Interaction


class Interactions:
    """The interactions of a cut by everything that an event may know them by."""

    def __init__(self, interactions: Sequence[Interaction]) -> None:
        # The first of the interactions that share a name has it.
        backwards = list(reversed(interactions))
        self._by_output = {output.id: i for i in backwards for output in i.outputs}
        self._by_response = {i.response_id: i for i in backwards if i.response_id}
        self._by_span = {i.span: i for i in backwards if i.span}
        self._by_turn = {(i.session, i.turn_id): i for i in backwards if i.turn_id}
        self._by_session: dict[str, list[tuple[int, str, Interaction]]] = {}
        for i in interactions:
            if i.session:
                self._by_session.setdefault(i.session, []).append((i.received_at, i.event_id, i))
        for listed in self._by_session.values():
            listed.sort(key=lambda entry: entry[:2])

    def of(self, event: Feedback) -> Interaction | None:
        """The interaction; of a preference only when both of its sides are known."""
        if event.level == "turn":
            return self._by_turn.get((event.session, event.turn_id))
        if event.level == "session":
            return self._last_before(event)
        if event.candidates:
            sides = [self._by_output.get(output_id) for output_id in event.candidates]
            return sides[0] if all(sides) else None
        return self._by_id(event)

    def _by_id(self, event: Feedback) -> Interaction | None:
        found = self._by_output.get(event.output_id or "")
        return found or self._by_response.get(event.response_id) or self._by_span.get(event.span)

    def _last_before(self, event: Feedback) -> Interaction | None:
        """What the session had come to when it was judged; its first one when all came later."""
        listed = self._by_session.get(event.session, [])
        at = bisect_right([entry[0] for entry in listed], event.order[0])
        return listed[max(0, at - 1)][2] if listed else None


def output_in(event: Feedback, interaction: Interaction) -> str | None:
    """The judged output of a joined event; where only the answer as a whole is known, its first one."""
    if event.level != "output" or event.candidates:
        return None
    return event.output_id or (interaction.outputs[0].id if interaction.outputs else None)


def missed(event: Feedback, interaction: Interaction | None, *, newest_ms: int, window_ms: int) -> Reason | None:
    """Why an event cannot be joined: it may still wait for its interaction, or that came too late or never."""
    if interaction is None:
        return Reason.WAITING if newest_ms - event.order[0] <= window_ms else Reason.ORPHAN_EXPIRED
    late = interaction.received_at - event.order[0] > window_ms
    return Reason.ORPHAN_EXPIRED if late else None
