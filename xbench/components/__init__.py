"""Which components there are, and how they are written down and built."""
