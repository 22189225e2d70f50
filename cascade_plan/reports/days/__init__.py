"""Plug-ins: a simulated day in one format each."""
