"""A store of secrets."""
