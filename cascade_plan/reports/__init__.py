"""Plug-ins: results as text for people, a folder for each kind of result."""
