#!/bin/sh
# make setup-libvirt: libvirt and QEMU on Debian, for machines of kind vm. What is there is kept: run it as often as you like.
# It installs packages and starts the daemons; networks and disks are made by each lab and go with it.
set -eu

say() { echo "setup-libvirt: $*"; }
stop() { say "$1" >&2; exit 3; }
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
missing=
for package in libvirt-daemon-system libvirt-clients libvirt-daemon-driver-qemu dnsmasq-base iptables iproute2 xorriso "$emulator" \
    qemu-utils mmdebstrap e2fsprogs libvirt-dev pkg-config gcc python3-dev $reaper; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing="$missing $package"
done
if [ -n "$missing" ]; then
    command -v apt-get >/dev/null || stop "this is no Debian: install libvirt, QEMU, xorriso, mmdebstrap and libvirt's headers as its makers say"
    say "installing$missing"
    apt-get update -q >/dev/null
    # shellcheck disable=SC2086 # a list of package names
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
fi

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
    tries=0
    until answers; do
        tries=$((tries + 1))
        if [ $tries -gt 60 ]; then
            tail -n 20 "$log" >&2 || true
            stop "libvirtd does not answer after 30 s; the end of its log is above"
        fi
        sleep 0.5
    done
fi
say "libvirt $(virsh --quiet version --daemon | sed -n 's/^Running against daemon: *//p') answers; now the Python client"
