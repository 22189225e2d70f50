"""NAT gateways, addresses, traffic."""
