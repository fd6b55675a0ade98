#!/bin/sh
# make setup-docker: a Docker engine on Debian, for the provider kind and for images that hold Debian packages. Idempotent: an existing
# engine is kept. It installs packages, may write /etc/docker/daemon.json, and starts dockerd; it removes nothing.
set -eu

# shellcheck disable=SC2034 # the functions read it
NAME=setup-docker
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=/dev/null
. "$here/../setup_functions.sh"
answers() { docker version --format '{{.Server.Version}}' 2>/dev/null; }

wrapper=/usr/local/sbin/karmada-lab-runc
settings=/etc/docker/daemon.json
log=/var/log/karmada-lab-dockerd.log

[ "$(id -u)" = 0 ] || stop "installing and starting an engine needs root: sudo make setup-docker"

# -- packages ---------------------------------------------------------------------------------------------------------------
wanted=mmdebstrap
answers >/dev/null || wanted="docker.io containerd runc iptables $wanted"
# shellcheck disable=SC2086 # a list of package names
install_missing "install Docker as its makers say (https://docs.docker.com/engine/install), and mmdebstrap" $wanted

# -- a runtime that asks for no more than there is ----------------------------------------------------------------------------
bounds=$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)
if [ $((0x$bounds >> 24 & 1)) = 0 ]; then
    say "this computer's capability bounding set lacks CAP_SYS_RESOURCE: privileged containers run by $wrapper, which asks for all but that"
    cmp -s "$here/runc-within-bounds" "$wrapper" || install -m 0755 "$here/runc-within-bounds" "$wrapper"
    if [ ! -e "$settings" ]; then
        mkdir -p "$(dirname "$settings")"
        printf '{"runtimes": {"karmada-lab": {"path": "%s"}}, "default-runtime": "karmada-lab"}\n' "$wrapper" >"$settings"
    elif ! grep -q "$wrapper" "$settings"; then
        stop "$settings is yours, so it is left as it is: add the runtime $wrapper to it as default-runtime, restart dockerd, run this again"
    fi
fi

# -- limits that kind's nodes run into ------------------------------------------------------------------------------------------
for limit in max_user_instances=1024 max_user_watches=524288; do
    file=/proc/sys/fs/inotify/${limit%=*}
    if [ "$(cat "$file")" -lt "${limit#*=}" ]; then
        echo "${limit#*=}" >"$file" 2>/dev/null || say "fs.inotify.$limit could not be set: kind's nodes may fail with \"too many open files\""
    fi
done

# -- start ------------------------------------------------------------------------------------------------------------------------
if ! answers >/dev/null; then
    if [ -d /run/systemd/system ]; then
        systemctl start docker
    else
        say "starting dockerd by hand (no systemd here); it writes to $log"
        setsid dockerd >>"$log" 2>&1 </dev/null &
    fi
    wait_until_answers dockerd "$log"
fi
say "Docker $(answers) answers, runtime $(docker info --format '{{.DefaultRuntime}}'), cgroup v$(docker info --format '{{.CgroupVersion}}')"
