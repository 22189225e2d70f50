"""The nouns: scenario, load, fleet, price, bill, plan, verdict, derivation."""
