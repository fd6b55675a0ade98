"""Karmada onto a lab. A deployer is one folder; the rest is functions over the handle `Karmada`.

spec, options      the requested Karmada, and which deployer supports which option
release, karmada   where a version of Karmada comes from, and the handle of a control plane
deployer           the protocol of a deployer, and which there are
by_binary, by_chart, by_yaml, by_karmadactl, by_operator, by_command
plane              common to every control plane: layout, manifests, certificates, preflight, rollout
pods               what deployers of pods share: images, workloads, helm, the host cluster
members            joining, leaving, and the leftovers
checks             conformance, descriptions, what differs between installations
etcd, backup, day2 operations on a running Karmada
addons             what works with Karmada, from other projects and its own
bring_up           a lab with Karmada on it, from nothing or from what exists; join_steps: its members
commands           the verbs of `lab` that need Karmada
"""
