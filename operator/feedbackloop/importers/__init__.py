"""Exports of other tools to this loop's interactions and feedback.

Each source is one pure function from its rows to what `POST /v1/interactions` and `POST /v1/feedback` take;
event ids are made from the source's own ids, so that an import may be repeated or resumed at any time.
"""
