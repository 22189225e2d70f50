"""Helm charts of what runs in the cluster beside the application."""
