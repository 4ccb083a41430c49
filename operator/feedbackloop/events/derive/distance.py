"""Edit distance of a correction."""

from __future__ import annotations


def edit_distance(before: str, after: str) -> float:
    """Levenshtein distance over the length of the longer text: 0 for the same text, 1 for nothing in common."""
    from rapidfuzz.distance import Levenshtein  # of the jobs only: the gateway does without it

    return round(Levenshtein.normalized_distance(before.strip(), after.strip()), 6)
