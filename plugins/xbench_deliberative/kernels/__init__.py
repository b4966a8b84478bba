"""Pure numerics of deliberative explanations: tensors in, tensors out."""
