"""Kubernetes clusters from a spec. Nothing in this package knows Karmada, except the command line `lab.__main__`."""
