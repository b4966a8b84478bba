"""Storage: what lies in a store, complete or not there at all."""
