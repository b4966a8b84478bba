"""The low-level protocol: whether scores name the colour that a class lost."""
