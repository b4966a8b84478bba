"""Calibration: one temperature for a network, fitted to labels or to people."""
