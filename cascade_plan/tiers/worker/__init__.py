"""Pods that do jobs from a queue."""
