"""The Redis or Valkey cluster."""
