"""What of the whole plan is watched, beside what each tier says of itself."""
