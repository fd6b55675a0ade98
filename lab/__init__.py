"""Kubernetes clusters from a spec. This package has never heard of Karmada; only `lab.__main__`, the command line, has."""
