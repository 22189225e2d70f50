"""Plug-ins: what differs between two plans, in one format each."""
