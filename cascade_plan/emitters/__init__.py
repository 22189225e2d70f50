"""Plug-ins: a folder for each program that is configured."""
