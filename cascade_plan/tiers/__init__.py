"""Plug-ins: one file per thing that is sized."""
