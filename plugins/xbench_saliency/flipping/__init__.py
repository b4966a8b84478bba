"""Deletion and insertion: what a network still says while pixels go in a map's order."""
