"""Pure numeric functions: tensors in, tensors out."""
