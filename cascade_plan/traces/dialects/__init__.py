"""Plug-ins: one way of writing a trace each."""
