"""The explicability protocol: whose mistakes are nearest to the truth."""
