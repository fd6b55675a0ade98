"""Snapshots of whole labs: the data, keys and records of all clusters and of Karmada at one moment; restored in place, or forked."""
