"""Many plans, held against each other."""
