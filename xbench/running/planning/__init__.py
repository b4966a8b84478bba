"""Planning: what is to be done, in which order, for all entries at once."""
