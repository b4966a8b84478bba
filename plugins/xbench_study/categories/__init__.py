"""Categories of errors: annotated by two people before answers exist, blind to condition."""
