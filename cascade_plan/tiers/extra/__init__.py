"""Lines of the bill that are given by hand."""
