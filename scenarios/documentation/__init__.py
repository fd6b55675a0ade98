"""The pages of docs/ that are made from the code, and what the other pages promise."""
