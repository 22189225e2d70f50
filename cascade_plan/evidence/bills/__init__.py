"""Plug-ins: a reader for each form in which a cloud hands out its bill."""
