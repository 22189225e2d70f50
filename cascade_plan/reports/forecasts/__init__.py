"""Plug-ins: what each month of some years costs, in one format each."""
