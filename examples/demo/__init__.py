"""The demo: a real cluster, a real loop, seeded users, and a report of what the loop did by itself."""
