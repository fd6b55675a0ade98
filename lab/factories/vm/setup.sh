#!/bin/sh
# make setup-libvirt: libvirt and QEMU on Debian, for machines of kind vm. It keeps what is installed: run it as often as you like.
# It installs packages and starts the daemons; networks and disks are made by each lab and go with it.
set -eu

# shellcheck disable=SC2034 # the functions read it
NAME=setup-libvirt
# shellcheck source=/dev/null
. "$(cd "$(dirname "$0")" && pwd)/../../setup_functions.sh"
answers() { virsh --quiet --connect qemu:///system version >/dev/null 2>&1; }

log=/var/log/karmada-lab-libvirtd.log

[ "$(id -u)" = 0 ] || stop "installing and starting libvirt needs root: sudo make setup-libvirt"

# -- packages: the daemon, QEMU, the makers of images, and what libvirt-python is compiled with ----------------------------------
case $(uname -m) in
x86_64) emulator=qemu-system-x86 ;;
aarch64) emulator=qemu-system-arm ;;
*) stop "no virtual machines are made for $(uname -m)" ;;
esac
# Without systemd the first process may be slow to collect those that have ended, and libvirt waits for each of its QEMUs to be gone.
reaper=
[ -d /run/systemd/system ] || reaper=tini
# shellcheck disable=SC2086 # $reaper is one package or none
install_missing "install libvirt, QEMU, xorriso, mmdebstrap and libvirt's headers as its makers say" \
    libvirt-daemon-system libvirt-clients libvirt-daemon-driver-qemu dnsmasq-base iptables iproute2 xorriso "$emulator" \
    qemu-utils mmdebstrap e2fsprogs libvirt-dev pkg-config gcc python3-dev $reaper

# -- /dev/kvm: as udev leaves it. Where QEMU's user cannot open it, libvirt examines QEMU again before every single thing it does. ----
if [ -c /dev/kvm ] && ! [ -d /run/systemd/system ]; then
    chgrp kvm /dev/kvm
    chmod 0660 /dev/kvm
fi

# -- daemons ----------------------------------------------------------------------------------------------------------------------
if ! answers; then
    if [ -d /run/systemd/system ]; then
        systemctl start virtlogd.socket libvirtd
    else
        say "starting virtlogd and libvirtd by hand (no systemd here); they write to $log"
        pgrep -x virtlogd >/dev/null || virtlogd -d >>"$log" 2>&1
        pgrep -x libvirtd >/dev/null || setsid tini -s -- libvirtd >>"$log" 2>&1 </dev/null &
    fi
    wait_until_answers libvirtd "$log"
fi
say "libvirt $(virsh --quiet version --daemon | sed -n 's/^Running against daemon: *//p') answers; now the Python client"
