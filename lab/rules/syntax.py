"""What Kubernetes accepts as a label, a DNS name, a quantity, a flag and an environment variable. Each function returns an error, or "".

After k8s.io/apimachinery 0.35: util/validation (labels, names) and api/resource (quantities).
"""

from __future__ import annotations

import re
from decimal import Decimal
from ipaddress import ip_address

LABEL_PART = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
QUANTITY = re.compile(
    r"(?P<sign>[+-]?)(?P<number>[0-9]+(\.[0-9]*)?|\.[0-9]+)(?P<suffix>[numkMGTPE]?|[KMGTPE]i|[eE](?P<exponent>[+-]?[0-9]{1,3}))", re.ASCII
)
LARGEST = 2**63 - 1
"""Of a quantity: Kubernetes counts in 64 bits."""
POWERS = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
FLAG = re.compile(r"[A-Za-z][A-Za-z0-9.-]*")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


def label_key_error(key: str) -> str:
    """Return why a label's key is not one: an optional DNS prefix and `/`, then a name of at most 63 characters."""
    if key.count("/") > 1:
        return "has more than one '/'"
    prefix, slash, name = key.rpartition("/")
    if slash and (why := dns_name_error(prefix, longest=253)):
        return f"has a prefix before '/' that {why}"
    return label_part_error(name, empty=False)


def label_value_error(value: str) -> str:
    """Return why a label's value is not one: empty, or at most 63 letters, digits, '-', '_' and '.'."""
    return label_part_error(value, empty=True)


def label_part_error(text: str, *, empty: bool) -> str:
    if not text:
        return "" if empty else "is empty"
    if len(text) > 63:
        return f"has {len(text)} characters; Kubernetes allows 63"
    if not LABEL_PART.fullmatch(text):
        return "may have letters, digits, '-', '_' and '.' only, and begins and ends with a letter or digit"
    return ""


def dns_name_error(name: str, *, wildcard: bool = False, longest: int = 63) -> str:
    """Return why a name is not a lower-case DNS name (RFC 1123), with `*.` before it if `wildcard` allows that.

    `longest` is the length of a part: DNS allows 63, while Kubernetes counts the whole name only.
    """
    if wildcard:
        name = name.removeprefix("*.")
    if not name:
        return "is empty"
    if not name.isascii():
        return "has letters beyond ASCII: write the name in its xn-- form"
    if len(name) > 253:
        return f"has {len(name)} characters; a DNS name has at most 253"
    return next((why for part in name.split(".") if (why := dns_label_error(part, longest))), "")


def dns_label_error(part: str, longest: int) -> str:
    """Return why one part of a DNS name is invalid."""
    if not part:
        return "has an empty part between its dots"
    if len(part) > longest:
        return f"has a part of {len(part)} characters; {longest} are the most between two dots"
    if not DNS_LABEL.fullmatch(part):
        return f"is not a DNS name: {part!r} may have only lower-case letters, digits and '-', with a letter or digit at both ends"
    return ""


def host_name_error(name: str, *, wildcard: bool = False) -> str:
    """Return why a name is not a host's DNS name, "" when it is one. A last part of digits makes it an address."""
    if why := dns_name_error(name, wildcard=wildcard):
        return why
    if name.rpartition(".")[2].isdigit():
        return "ends with a number, as an IP address does: give a DNS name"
    return ""


def address_error(host: str) -> str:
    """Return why a text is neither an IP address nor a DNS name. Case does not matter."""
    try:
        ip_address(host)
    except ValueError:
        return host_name_error(host.lower())
    return ""


def port_error(text: str) -> str:
    """Return why a text is not a TCP port that can be connected to."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65_535):
        return f"{text!r} is not a port: 1 to 65535"
    return ""


def quantity_of(text: str) -> Decimal | None:
    """Return the value of a Kubernetes resource quantity, or None when it is none."""
    found = QUANTITY.fullmatch(text)
    if found is None:
        return None
    number = Decimal(f"{found['sign']}{found['number']}")
    if found["exponent"]:
        return number.scaleb(int(found["exponent"]))
    suffix = found["suffix"]
    return number * 1024 ** BINARY[suffix] if suffix in BINARY else number.scaleb(POWERS[suffix])


def quantity_error(text: str, *, scale: int = 1) -> str:
    """Return why a text is not an amount of a resource; `scale` is 1000 for CPU, which is counted in thousandths."""
    value = quantity_of(text)
    if value is None:
        return "is not a resource quantity: write a number with a suffix of Kubernetes, as 8, 500m, 32Gi or 1.5G"
    if value < 0:
        return "is negative"
    if value * scale > LARGEST:
        return f"is too large: Kubernetes counts up to {LARGEST // scale}"
    return ""


def flag_error(name: str) -> str:
    """Return why a text is not the name of a flag, without its dashes."""
    if not FLAG.fullmatch(name):
        return "is not a flag: write its name without dashes, as max-requests-inflight"
    return ""


def variable_error(name: str) -> str:
    """Return why a text is not the name of an environment variable."""
    return "" if VARIABLE.fullmatch(name) else "is not a name for an environment variable"


def text_error(text: str) -> str:
    """Return why a text cannot be an argument or environment value of a program."""
    return "has a NUL character, which no program can be given" if "\0" in text else ""
