"""Analysis of exported answers: a conclusion, tables, pictures, and files that others read."""
