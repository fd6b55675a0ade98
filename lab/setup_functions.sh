# shellcheck shell=sh
# Functions of the scripts that set up an engine on Debian (make setup-docker, make setup-libvirt). The script that reads this file
# defines NAME, which begins each of its lines, and `answers`, which says whether the daemon answers.

say() { echo "$NAME: $*"; }
stop() { say "$1" >&2; exit 3; }

# install_missing ELSE PACKAGE…: install the packages that are missing; ELSE is what to do by hand where there is no apt-get.
install_missing() {
    otherwise=$1
    shift
    missing=
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null || stop "this is no Debian: $otherwise"
    say "installing$missing"
    apt-get update -q >/dev/null
    # shellcheck disable=SC2086 # a list of package names
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing >/dev/null
}

# wait_until_answers DAEMON LOG: return when the daemon answers; after 30 s print the end of its log and stop.
wait_until_answers() {
    tries=0
    until answers >/dev/null; do
        tries=$((tries + 1))
        if [ $tries -gt 60 ]; then
            tail -n 20 "$2" >&2 || true
            stop "$1 does not answer after 30 s; the end of its log is above"
        fi
        sleep 0.5
    done
}
