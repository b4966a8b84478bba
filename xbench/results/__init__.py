"""What is made of rows: scores, records and tables."""
