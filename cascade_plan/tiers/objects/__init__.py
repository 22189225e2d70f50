"""An object store."""
