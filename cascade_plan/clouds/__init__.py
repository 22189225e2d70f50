"""Plug-ins: a folder for each cloud."""
