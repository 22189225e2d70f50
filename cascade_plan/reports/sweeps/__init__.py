"""Plug-ins: one scenario over a grid in one format each."""
