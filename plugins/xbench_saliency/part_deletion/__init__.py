"""Part deletion: does a map rank parts as the network's drops do when they are taken away."""
