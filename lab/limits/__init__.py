"""Limits of this computer that a lab runs into: cgroups, resource limits, file systems, the account, virtualisation.

Each module reads facts by a Probe (`lab.computer`) and computes; `checks` compares them with Needs, what a lab takes. `lab doctor` and the
preflight of `lab up` use the same table of checks, so that they give the same answer.
"""
