"""Maps that follow from gradients at the pixels."""
