"""Plug-ins: how sure a fleet is, in one format each."""
