"""Numbers of studies with people: pure functions on arrays of answers."""
