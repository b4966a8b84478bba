"""`xbench study`."""
