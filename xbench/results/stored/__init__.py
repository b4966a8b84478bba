"""Stored results: runs found again, compared, exported."""
