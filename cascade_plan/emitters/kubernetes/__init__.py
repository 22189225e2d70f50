"""Kubernetes objects of the planned workloads."""
