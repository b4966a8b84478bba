"""`xbench score` and `xbench similarity`."""
