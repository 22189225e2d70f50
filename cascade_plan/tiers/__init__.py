"""Plug-ins: a folder for each kind of thing that is sized."""
