"""The price books."""
