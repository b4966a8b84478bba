"""Small images packed into one file for each split."""
