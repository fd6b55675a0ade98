"""Addons of others than Karmada's makers: CRDs that Karmada can divide, and what works with them.

The modules (Karmada's own addons are components of it, `deployers.by_binary.optional`):

contents     its objects, as upstream wrote them
site         an addon on one cluster: its objects and conflicts, applying and deleting
steps        addons as steps of `up`
change       install, upgrade and remove, on a Karmada that runs
karmada_addons  the same for Karmada's own, where they are programs
"""
