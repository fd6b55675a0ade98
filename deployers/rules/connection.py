"""Rules of names and addresses: of karmada-apiserver, of an external etcd, of a registry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address
from urllib.parse import urlsplit

from lab.pki import is_address
from lab.preflight import Found, Place, Problem
from lab.rules.syntax import address_error, host_name_error, port_error

PART = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*")
"""One part of a repository's path, as registries take it."""


def registry_errors(value: str | None, place: Place) -> Found:
    if value is not None and (why := registry_error(value)):
        yield why


def registry_error(value: str) -> str:
    """Return why images cannot be pulled from there, or "": it is HOST[:PORT][/PREFIX]."""
    host, _, prefix = value.partition("/")
    if "://" in value:
        return f"{value!r} is a URL: write HOST[:PORT][/PREFIX] without https://"
    if why := host_port_error(host, needs_port=False):
        return f"{value!r}: {why}"
    if "/" in value and not all(PART.fullmatch(part) for part in prefix.split("/")):
        return f"{value!r}: the prefix may have lower-case letters, digits, and '.', '_' and '-' between them"
    return ""


def balancer_errors(value: str | None, place: Place) -> Found:
    if value is not None and (why := host_port_error(value, needs_port=True)):
        yield f"{value!r}: {why}; write HOST:PORT, an IPv6 address in brackets"


def host_port_error(value: str, *, needs_port: bool) -> str:
    """Return why a text is not HOST or HOST:PORT; an IPv6 address is in brackets."""
    found = HOST_PORT.fullmatch(value)
    if found is None:
        return "is not a host and a port"
    host, port = found["host"], found["port"]
    if host.startswith("["):
        why = "" if is_address(host[1:-1]) else f"{host} holds no IPv6 address"
    else:
        why = address_error(host)
        why = f"the host {why}" if why else ""
    if not why and port is None and needs_port:
        return "the port is missing"
    return why or (port_error(port) if port is not None else "")


HOST_PORT = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(:(?P<port>.*))?", re.DOTALL)


def name_errors(value: str | None, place: Place) -> Found:
    """Yield why the balancer of a lab cannot be reached by a name: it is one DNS name in lower case, and no address."""
    if value is None:
        return
    if is_address(value.strip("[]")):
        yield f"{value!r} is an address: give the DNS name that users will reach karmada-apiserver by"
    elif why := host_name_error(value):
        yield f"{value!r} {why}"


def virtual_address_errors(value: str | None, place: Place) -> Found:
    """Yield why keepalived cannot give a machine an address: it is one IPv4 address of a network interface."""
    if value is None:
        return
    try:
        given = IPv4Address(value)
    except ValueError:
        yield f"{value!r} is no IPv4 address: give a free one of the network of the machines, without a port"
        return
    if given.is_loopback or given.is_multicast or given.is_unspecified:
        yield f"{value!r} is not an address that a machine can be reached at"


def host_errors(hosts: tuple[str, ...], place: Place) -> Iterator[Problem]:
    for number, host in enumerate(hosts):
        if not is_address(host) and (why := host_name_error(host.lower(), wildcard=True)):
            yield Problem(
                f"[{number}]", f"{host!r} {why}", "give DNS names, with `*.` before one if need be, or IP addresses, without ports"
            )
    if len({host.lower() for host in hosts}) < len(hosts):
        yield Problem("", "a name is given twice")


def server_errors(servers: tuple[str, ...], place: Place) -> Iterator[Problem]:
    for number, server in enumerate(servers):
        try:
            address = urlsplit(server)
            host, port = address.hostname or "", address.port
        except ValueError as error:
            yield Problem(f"[{number}]", f"{server!r} is not a URL: {error}")
            continue
        why = address_error(host) if host else "names no host"
        if address.scheme != "https":
            why = "is not https: etcd's keys would be sent in the clear"
        if address.path or "," in server or any(each.isspace() for each in server):
            why = "has more than a host and a port"
        if address.username or address.query or address.fragment:
            why = "has more than a host and a port"
        if port == 0:
            why = "has the port 0"
        if why:
            yield Problem(f"[{number}]", f"{server!r} {why}", "write https://HOST:PORT")
    if len(set(servers)) < len(servers):
        yield Problem("", "a server is given twice")
