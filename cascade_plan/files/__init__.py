"""The disk: text in, text out, YAML that knows where each value stands."""
