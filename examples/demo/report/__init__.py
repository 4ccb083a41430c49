"""The report page of a demo: what the loop did, in pictures."""
