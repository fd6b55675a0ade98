"""Kubernetes on any list of machines, by kubeadm: one control plane or three, and workers.

    facts    what a machine is, and why it cannot be a node
    files    what is brought to it: containerd, runc, the network's plug-ins, kubelet, kubeadm, images; nothing is downloaded there
    config   kubeadm's, containerd's and the balancer's configuration, as data
    node     one machine becomes a node, step by step
    cluster  the steps of a cluster
    reset    a node becomes the machine that it was

All that is brought lies in one folder of the machine. Doing any of it a second time changes nothing.
"""
