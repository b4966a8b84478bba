"""Other platforms that ask people: what is handed to them, and what they give back."""
