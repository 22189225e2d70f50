"""Nodes that hold open connections."""
