"""Pictures of birds: anatomy, scenes, pixels, and where each part is seen."""
