"""Plug-ins: many systems as one in one format each."""
