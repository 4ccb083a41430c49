"""Synthetic items that come with the operator: provocations, counterfactual pairs, beginnings of rare training rows.

All text is our own and made from templates by a version and a seed, so that the items' digest is the same everywhere.
`items(kind, …)` gives them in the form of every other suite; which metric and gate fits is in docs/judge-and-probes.md.
"""

from feedbackloop.jobs.probes.making import VERSION, digest, items
from feedbackloop.jobs.probes.memorisation import Training

__all__ = ["VERSION", "Training", "digest", "items"]
