"""From a file and options to a frozen benchmark."""
