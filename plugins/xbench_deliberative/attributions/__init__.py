"""Attribution of a readout's predictions to locations of the activations."""
