"""The systems of a portfolio planned one by one: here, on all cores, or on a cluster."""
