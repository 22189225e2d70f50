"""Services that answer requests."""
