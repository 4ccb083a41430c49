"""Several gateway pods as one: which pod owns a session, and how the others hand over what belongs to it."""
