"""What AWS sells of what plans need, a module for what is bought alike: each a tuple of products."""
