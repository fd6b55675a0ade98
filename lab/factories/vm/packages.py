"""The Debian packages of a virtual machine: those that make it boot and answer ssh, and those that kubeadm asks for."""

from __future__ import annotations

from lab.assets.pins import detect_arch
from lab.images.image import Packages

BOOTS = ("systemd", "systemd-sysv", "udev", "dbus", "kmod", "mount", "bash", "busybox-static", "cloud-init", "qemu-guest-agent")
ANSWERS = ("openssh-server", "iproute2", "iputils-ping", "procps", "sudo", "ca-certificates", "curl")
KUBEADM = ("containerd", "runc", "containernetworking-plugins", "conntrack", "ethtool", "iptables", "nftables", "socat")


def list_packages(arch: str = "") -> Packages:
    """Return the packages for this computer's architecture, kernel included."""
    kernel = f"linux-image-cloud-{arch or detect_arch()}"
    return Packages(
        names=(*BOOTS, *ANSWERS, *KUBEADM, kernel),
        installed=True,
        # Identities that each machine gets for itself, and the distribution's initramfs, for which ours stands.
        without=("etc/ssh/ssh_host_*", "boot/initrd.img*", "initrd.img*", "vmlinuz*", "etc/fstab", "var/lib/systemd/random-seed"),
    )
