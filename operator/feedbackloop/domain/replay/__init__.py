"""Replay: what `rollout.advance` was given is recorded, and gives the same again, byte for byte (I10).

`given` everything that one decision was made from · `document` that and its result as JSON · `delta` what changed
between two documents · `frame` one line of the record · `record` writing it · `check` reading it back and deciding
once more · `tape` the record's size on disk: numbered, compressed parts.
"""
