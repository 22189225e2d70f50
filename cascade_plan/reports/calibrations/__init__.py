"""Plug-ins: a calibration in one format each."""
