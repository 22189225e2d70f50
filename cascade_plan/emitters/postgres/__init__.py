"""PostgreSQL's settings, schema changes included."""
