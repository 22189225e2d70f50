"""Plug-ins: a reader for each tool that load-tests."""
