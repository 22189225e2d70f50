"""One plan: from a scenario to a fleet with its bill, its latencies, its verdicts."""
