"""Plug-ins: one file per biller."""
