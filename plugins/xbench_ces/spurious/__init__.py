"""The spurious-recovery protocol: whether scores name what a network wrongly relies on."""
