"""Plug-ins: a plan in one format each."""
