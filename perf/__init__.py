"""Measurements: what a lab costs in seconds and memory, and (with more of this package to come) how fast Karmada fails over."""
