"""Bytes from outside, made safe."""
