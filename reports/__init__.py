"""Run directories turned into pages and files people read. Reads `lab.run` only."""
