"""Answers: the tables they lie in, who sees what, and what becomes of them."""
