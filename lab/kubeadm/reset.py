"""A node becomes the machine that it was: no process, mount, rule, interface, cgroup or file of it stays."""

from __future__ import annotations

from lab.errors import LeakError
from lab.kubeadm import paths
from lab.machines.machine import Machine

FOLDERS = " ".join(paths.MADE_BY_KUBEADM)
UNDO = f"""
systemctl stop {paths.KUBELET} 2>/dev/null
if systemctl is-active --quiet {paths.CONTAINERD}; then
    for task in $({paths.CTR} --namespace=k8s.io tasks list --quiet 2>/dev/null); do
        {paths.CTR} --namespace=k8s.io tasks kill --signal KILL "$task" >/dev/null 2>&1
    done
    sleep 0.2
    for task in $({paths.CTR} --namespace=k8s.io tasks list --quiet 2>/dev/null); do
        {paths.CTR} --namespace=k8s.io tasks delete --force "$task" >/dev/null 2>&1
    done
    for one in $({paths.CTR} --namespace=k8s.io containers list --quiet 2>/dev/null); do
        {paths.CTR} --namespace=k8s.io containers delete "$one" >/dev/null 2>&1
    done
fi
for point in $(sed -n 's#^[^ ]* [^ ]* [^ ]* [^ ]* \\(/var/lib/kubelet[^ ]*\\).*#\\1#p' /proc/self/mountinfo | sort -r); do
    umount -l "$point"
done
for folder in {FOLDERS} {paths.ROOT}/etcd {paths.CNI}/data {paths.JOINED}; do rm -rf "$folder"; done
rm -f {paths.CNI}/net.d/*  # not the folder: containerd watches it
for link in $(ls /run/netns 2>/dev/null | grep '^cni-'); do ip netns delete "$link"; done
for save in iptables-save ip6tables-save iptables-legacy-save ip6tables-legacy-save iptables-nft-save ip6tables-nft-save; do
    restore=${{save%-save}}-restore
    command -v $save >/dev/null || continue
    if $save 2>/dev/null | grep -q -E 'KUBE-|CNI-'; then $save 2>/dev/null | grep -v -E 'KUBE-|CNI-' | $restore; fi
done
exit 0
"""
"""What kubeadm, the kubelet and pods made. What was brought stays, and containerd runs."""
REMOVE = f"""
forward=$(sed -n 's/.*"forward": "\\([01]\\)".*/\\1/p' {paths.OWNER} 2>/dev/null)
systemctl disable --quiet --now {paths.BALANCER} {paths.KUBELET} {paths.CONTAINERD} 2>/dev/null
systemctl kill --kill-who=all --signal KILL {paths.CONTAINERD} 2>/dev/null
for pid in $(grep -l -a {paths.SOCKET} /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3); do
    test "$pid" = $$ || kill -9 "$pid" 2>/dev/null
done
sleep 0.2
for point in $(cut -d' ' -f5 /proc/self/mountinfo | grep -E '^({paths.ROOT}|{paths.STATE})/' | sort -r); do umount -l "$point"; done
test ! -e {paths.ROUTES} || sed 's/^route replace/route delete/' {paths.ROUTES} | ip -force -batch - 2>/dev/null
rm -f {paths.UNITS}/{paths.BALANCER} {paths.UNITS}/{paths.KUBELET} {paths.UNITS}/{paths.CONTAINERD}
systemctl daemon-reload
systemctl reset-failed 2>/dev/null
systemctl stop kubelet.slice 2>/dev/null
find /sys/fs/cgroup -depth -type d -path '*kubepods*' -exec rmdir {{}} \\; 2>/dev/null
test -z "$forward" || sysctl --quiet --write net.ipv4.ip_forward=$forward
rm -rf {paths.STATE}/containerd {paths.STATE}/containerd.sock* {paths.ROOT}
umount /run/netns 2>/dev/null
rmdir /run/netns 2>/dev/null
find /run/containerd -depth -type d -exec rmdir {{}} \\; 2>/dev/null  # of the shims; what another containerd has there is not empty
rmdir {paths.STATE} {paths.ROOT.rpartition("/")[0]} 2>/dev/null
exit 0
"""
"""What was brought, the mark of the owner last of all: an interrupted reset is continued by the next."""
REMAINS = f"""
for path in {FOLDERS} {paths.ROOT} {paths.UNITS}/{paths.KUBELET} {paths.UNITS}/{paths.CONTAINERD}; do
    test ! -e $path || echo "file $path"
done
cut -d' ' -f5 /proc/self/mountinfo | grep -E '^(/var/lib/kubelet|{paths.ROOT}|{paths.STATE})' | sed 's/^/mount /'
(iptables-save; ip6tables-save) 2>/dev/null | grep -E 'KUBE-|CNI-' | head -n 3 | sed 's/^/rule /'
find /sys/fs/cgroup -type d -name '*kubepods*' 2>/dev/null | head -n 3 | sed 's/^/cgroup /'
grep -l -a -E 'kubelet|{paths.SOCKET}' /proc/[0-9]*/comm 2>/dev/null | head -n 3 | sed 's/^/process /'
exit 0
"""


def undo_kubeadm(machine: Machine) -> None:
    """Undo kubeadm's changes to a machine; files that the lab brought stay. Does nothing on a machine without a node."""
    machine.run(["sh", "-s"], input=UNDO, within=180.0)


def reset_node(machine: Machine) -> None:
    """Remove all of a node; twice is fine. LeakError names what is left."""
    undo_kubeadm(machine)
    machine.run(["sh", "-s"], input=REMOVE, within=180.0)
    if left := list_remains(machine):
        raise LeakError(f"resetting {machine.name} failed: parts of the node are left", where=machine.name, detail="\n".join(left))


def list_remains(machine: Machine) -> list[str]:
    """Return what is left of a node, one line each: files, mounts, rules, cgroups, processes."""
    return machine.run(["sh", "-s"], input=REMAINS).stdout.splitlines()
