"""Plug-ins: one kind of file that monitoring leaves each."""
