"""Where answers lie: the database, its tables, and the hashes that stand in them."""
