"""The fields of a record stand where `ingest.records` puts them by position."""

from feedbackloop.events.records import FeedbackRecord

ORDER = (
    "event_id received_at subject signal kind value output_id candidates session arm run_uid epoch started_at "
    "occurred_at consent trainable fingerprint pod seq level turn_id dimension supersedes retracted detail fraction ui "
    "stream source channel tenant orphan"
)


def test_new_fields_come_after_the_old_ones() -> None:
    assert FeedbackRecord.__struct_fields__[: len(ORDER.split())] == tuple(ORDER.split())
