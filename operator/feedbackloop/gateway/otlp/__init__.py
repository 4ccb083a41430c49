"""OTLP/HTTP on the app port: evaluation events become feedback, GenAI spans become interactions.

`inflate` → `protobuf` or `jsonform` → entries (`model`) → `logs`, `spans` (pure: the bodies that the app
port's own paths take) → `port`, which hands them to the one ingest and answers with `reply`.
"""
