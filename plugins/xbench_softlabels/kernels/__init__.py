"""Functions of tensors, without images or networks."""
