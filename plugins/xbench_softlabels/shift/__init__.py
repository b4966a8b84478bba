"""Distribution shift: how classifiers hold out where images come from elsewhere."""
