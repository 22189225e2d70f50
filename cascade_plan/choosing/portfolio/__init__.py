"""Many systems as one: a row of each scenario, what they come to together."""
