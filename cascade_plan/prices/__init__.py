"""The price books: bundled, overridden, and rebuilt from collected figures."""
