"""The cheapest fleet with its proof, in the formats it is read in."""
