"""Prometheus with what surrounds it."""
