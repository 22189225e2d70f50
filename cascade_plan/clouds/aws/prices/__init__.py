"""Where AWS publishes its prices."""
