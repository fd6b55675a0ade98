"""Arguments of ssh in an Ansible inventory (ansible_ssh_common_args and the like): those that say how a host is reached."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

WITH_VALUE = {"-J": "ProxyJump", "-i": "IdentityFile", "-p": "Port", "-l": "User"}
KEYS = {"proxyjump": "jump", "userknownhostsfile": "known_hosts", "identityfile": "key", "port": "port", "user": "user"}
"""Options of ssh_config(5), and the keys of a host that they are."""
WITHOUT_EFFECT = frozenset(
    [
        "controlmaster",
        "controlpath",
        "controlpersist",
        "serveraliveinterval",
        "serveralivecountmax",
        "connecttimeout",
        "connectionattempts",
        "compression",
        "loglevel",
        "preferredauthentications",
        "passwordauthentication",
        "kbdinteractiveauthentication",
        "identitiesonly",
        "pubkeyauthentication",
        "tcpkeepalive",
        "gssapiauthentication",
        "requesttty",
        "batchmode",
    ]
)
"""Options that do not change which host is reached, as whom, or whether its key is checked."""
PLAIN = frozenset({"-C", "-q", "-4", "-6", "-T", "-tt", "-v"})


def parse_ssh_arguments(text: str) -> dict[str, str]:
    """Return the keys of a host that arguments of ssh set; the first of each counts, as in ssh. ValueError names one that is refused."""
    found: dict[str, str] = {}
    for option, value in list_options(text):
        name = option.lower()
        if name == "stricthostkeychecking":
            if value.lower() in {"no", "off", "accept-new"}:
                raise ValueError(
                    f"StrictHostKeyChecking={value}: host keys are always checked; name a file that has them by UserKnownHostsFile"
                )
        elif name in KEYS:
            if name == "userknownhostsfile" and value == "/dev/null":
                raise ValueError("UserKnownHostsFile=/dev/null: host keys are always checked; name a file that has them")
            found.setdefault(KEYS[name], value)
        elif name not in WITHOUT_EFFECT:
            raise ValueError(f"the option {option} of ssh is not supported here; known are {', '.join(('ProxyJump', *sorted(KEYS)[1:]))}")
    return found


def list_options(text: str) -> Iterator[tuple[str, str]]:
    """Yield the options and their values. ValueError for arguments other than options of ssh."""
    rest = shlex.split(text)
    while rest:
        word = rest.pop(0)
        if word in PLAIN:
            continue
        flag, value = word[:2], word[2:]
        if flag not in {"-o", *WITH_VALUE}:
            raise ValueError(f"the argument {word!r} of ssh is not supported here")
        if not value and not rest:
            raise ValueError(f"the argument {word!r} of ssh has no value")
        value = value or rest.pop(0)
        if flag == "-o":
            name, _, value = value.replace(" ", "=", 1).partition("=") if "=" not in value else value.partition("=")
            yield name.strip(), value.strip()
        else:
            yield WITH_VALUE[flag], value
