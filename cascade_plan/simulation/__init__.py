"""The proof: traffic, the autoscaler loop and the request-level queue, replayed from seeds."""
