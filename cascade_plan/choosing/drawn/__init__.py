"""One fleet in many worlds, with an array where a plan has a number."""
