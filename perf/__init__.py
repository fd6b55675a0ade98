"""Benchmarks: what a lab costs in seconds and memory, and how fast Karmada fails over."""
