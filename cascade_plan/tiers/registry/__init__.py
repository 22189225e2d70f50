"""A registry of container images."""
