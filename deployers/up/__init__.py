"""What brings a lab up with Karmada on it: the checks before, all steps in one graph, members joined."""
