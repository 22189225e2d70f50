"""What a user gives, read into a scenario with the origin of every value."""
