"""Records of traffic, from whatever tool exported them."""
