"""Whether maps change with the network: similarity to maps of networks with random parameters."""
