"""Child objects, rendered: pure functions from a loop's spec to what the API server shall hold, one file per concern.

Renderers read no cluster state but what they are given, and leave out whatever the server would
drop or default, so that what was applied can be found again in what is there (`compare`).
"""
