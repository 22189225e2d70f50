"""A kind of tier that only tests have: a log that every write is entered into before it is answered."""
