"""Functions of tensors and arrays, without images or networks."""
