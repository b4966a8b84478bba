"""A board: entries of different people side by side, from nothing but their files."""
