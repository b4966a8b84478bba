"""WordNet's nouns, and which of them classes are."""
