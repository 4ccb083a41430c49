"""Queue, lease, health and the watches that feed them. It knows no kind; `__main__` and controllers import it."""
