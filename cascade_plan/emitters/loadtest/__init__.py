"""Load tests of the named loads."""
