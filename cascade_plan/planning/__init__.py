"""One plan: from a scenario to a sized, priced and judged fleet."""
