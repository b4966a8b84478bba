"""The human-fit protocol: how near a classifier's probabilities are to the labels of people."""
