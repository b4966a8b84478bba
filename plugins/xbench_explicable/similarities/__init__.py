"""How near classes are, by trees, people, tables and WordNet."""
