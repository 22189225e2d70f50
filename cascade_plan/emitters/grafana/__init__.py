"""Grafana, which shows what Prometheus knows."""
