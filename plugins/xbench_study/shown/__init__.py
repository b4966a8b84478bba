"""What people are shown beside an image, as an explainer whose entries can be compared."""
