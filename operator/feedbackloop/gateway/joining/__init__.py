"""What a pod needs from object storage before it may serve on a fresh volume: the loop's secret, and its own place."""
