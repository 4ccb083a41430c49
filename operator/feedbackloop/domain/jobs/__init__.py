"""Stage jobs as facts and words: what a job is told, what it left behind, and what its end means."""
