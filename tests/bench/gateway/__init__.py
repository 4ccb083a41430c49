"""`make bench-gateway`: what the gateway costs and holds, one JSON line a figure. See docs/performance.md."""
