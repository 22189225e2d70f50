"""What the running system says of the plan."""
