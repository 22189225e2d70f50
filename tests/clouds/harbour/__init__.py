"""A made-up cloud, as small as one can be: two shapes of machines, one of databases, seven prices in one region."""
