"""Images that show a concept, and images that do not."""
