"""PgBouncer's pools."""
