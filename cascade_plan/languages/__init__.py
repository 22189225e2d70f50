"""How a value enters a file: one module for each language that is emitted."""
