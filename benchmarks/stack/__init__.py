"""A small real stack on loopback: the application, what starts it, what measures it, and what is predicted of it."""
