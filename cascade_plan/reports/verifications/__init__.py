"""Plug-ins: a verified load test in one format each."""
