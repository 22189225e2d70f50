"""Plug-ins: the environments of one file in one format each."""
