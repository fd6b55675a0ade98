"""Clusters that exist already, given by kubeconfig: never created, never deleted, and left as they were.

A lab of any provider may have some (`kubeconfig` of a cluster); those of the provider `existing` are all such.

    preflight   nothing is created before every cluster answers, is free of other owners, and grants the rights that are needed
    record      `existing/<cluster>` of the run, written before the cluster is touched: what the lab may put there (its Footprint)
    claim       a ConfigMap on the cluster, made atomically: one lab at a time; what is older than it is never deleted
    release     everything of the footprint that is younger than the claim goes, then the claim, then the record
"""
