"""Machines made of Linux namespaces: own network, mounts, processes and host name, own sshd, an overlay of this computer's root.

Up in half a second, at native speed, without Docker or a VM; root is needed. Nothing of this computer is shared but its kernel and its
installed programs: home directories, /tmp, /run, the project, its runs and its cache are hidden, and there is no network but the run's.

    factory   the steps that make the machines of a run, and their removal from the records alone
    network   the run's network: a bridge in a namespace of its own, one cable to this computer, a free private subnet
    seed      what is laid over the root of a machine: keys, sshd's configuration, hosts
    init      the program that is a machine: unshares, mounts, becomes its process 1

A machine is a program of the run's supervisor ("machines/NAME"): it ends with the lab, whatever happens to us.
"""
