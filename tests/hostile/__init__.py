"""Hostile input against a real gateway, as lists of cases: docs/hostile-cases.md shows them."""
