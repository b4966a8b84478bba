"""Stand-ins for people: a network that sees what people see, and guessing; floors, no people."""
