"""Examples, and the demo that runs them end to end."""
