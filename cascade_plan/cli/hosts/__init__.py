"""Plug-ins: where pull requests are discussed."""
