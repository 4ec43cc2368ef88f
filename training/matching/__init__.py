"""Training of the region matcher: which region of a coloured drawing answers to which."""
