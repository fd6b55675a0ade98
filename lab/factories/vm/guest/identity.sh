#!/bin/sh
# Give a restored machine an identity of its own. It is on standard input, as assignments quoted for a shell:
# now entropy hostname machine_id host_key host_key_public authorized_key mac address prefix gateway
set -eu
. /dev/stdin

date --set "@$now" >/dev/null
echo "$entropy" >/dev/urandom # every machine restored from one state would draw the same numbers

echo "$hostname" >/proc/sys/kernel/hostname
echo "$hostname" >/etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$hostname" >/etc/hosts
echo "$machine_id" >/etc/machine-id

umask 077
echo "$host_key" >/etc/ssh/ssh_host_ed25519_key
mkdir -p /root/.ssh
echo "$authorized_key" >/root/.ssh/authorized_keys
umask 022
echo "$host_key_public" >/etc/ssh/ssh_host_ed25519_key.pub

# systemd-networkd reads it at the next boot; until then it leaves the interface alone.
cat >/etc/systemd/network/10-lab.network <<END
[Match]
Name=eth0
[Network]
Address=$address/$prefix
Gateway=$gateway
LinkLocalAddressing=no
END
echo "nameserver $gateway" >/etc/resolv.conf
ip link set dev eth0 address "$mac"
ip address replace "$address/$prefix" dev eth0
ip link set dev eth0 up
ip route replace default via "$gateway"

read -r pid </run/sshd.pid && kill -HUP "$pid" # it holds the host key of the saved state
