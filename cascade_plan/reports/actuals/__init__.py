"""Plug-ins: a month's bill held against the plan, in one format each."""
