"""libvirt's file of a saved machine (src/qemu/qemu_saveimage.h): a header, the domain's XML, and QEMU's memory.

libvirt restores a machine only under the name and uuid that it was saved with. One saved state is to become many machines, so the XML in
the file is exchanged; the memory is copied as it is.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import IO
from xml.etree import ElementTree as ET

from lab.errors import ProvisionError

MAGIC = b"LibvirtQemudSave"
HEADER = struct.Struct("=16s5I14I")
VERSIONS = (1, 2)
COOKIE = 6
"""Position of the offset of libvirt's own notes, which stand after the XML."""


def read_xml(saved: IO[bytes]) -> tuple[tuple[bytes | int, ...], str, bytes]:
    """Return the header, the domain's XML and libvirt's notes; the file stands at the memory then. ProvisionError for another file."""
    raw = saved.read(HEADER.size)
    fields = HEADER.unpack(raw) if len(raw) == HEADER.size else (b"",)
    if fields[0] != MAGIC or fields[1] not in VERSIONS:
        raise ProvisionError("reading the saved machine failed: the file is not one that this libvirt wrote", where=saved.name)
    data = saved.read(int(fields[2]))
    offset = int(fields[5])
    document, _, _ = data.partition(b"\0")
    notes = data[offset:].partition(b"\0")[0] if offset else b""
    return fields, document.decode(), notes


def copy_saved(source: Path, target: Path, change: dict[str, str]) -> None:
    """Copy a saved machine, its XML changed as `change_xml` says. The memory keeps its alignment in the file."""
    with source.open("rb") as saved, target.open("wb") as copy:
        os.fchmod(copy.fileno(), 0o600)
        fields, document, notes = read_xml(saved)
        length = int(fields[2])
        xml = change_xml(document, change).encode() + b"\0"
        data = xml + (notes + b"\0" if notes else b"")
        block = 1 << 20
        while len(data) > length:  # the memory begins at a multiple of a block
            length += block
        offset = len(xml) if notes else 0
        copy.write(HEADER.pack(fields[0], fields[1], length, fields[3], fields[4], offset, *fields[6:]))
        copy.write(data.ljust(length, b"\0"))
        copy.flush()
        start, end = saved.tell(), source.stat().st_size
        while start < end:
            start += os.sendfile(copy.fileno(), saved.fileno(), start, end - start)


def change_xml(document: str, change: dict[str, str]) -> str:
    """Return the XML of a saved domain as that of another machine: its name, uuid, disk, seed, mac, network, console and description.

    What libvirt chose for the first machine (its tap device, sockets, security label) is left out, so that it chooses again.
    """
    domain = ET.fromstring(document)  # noqa: S314 (libvirt's own)
    for tag in ("name", "uuid", "description"):
        find_element(domain, tag).text = change[tag]
    for label in domain.findall("seclabel"):
        domain.remove(label)
    for disk, file in zip(domain.findall("devices/disk"), (change["disk"], change["seed"]), strict=True):
        source = find_element(disk, "source")
        source.clear()
        source.set("file", file)
        for chain in disk.findall("backingStore"):
            disk.remove(chain)
    interface = find_element(domain, "devices/interface")
    find_element(interface, "mac").set("address", change["mac"])
    network = find_element(interface, "source")
    network.attrib.clear()
    network.set("network", change["network"])
    for chosen in interface.findall("target"):
        interface.remove(chosen)
    for log in domain.iterfind("devices/*/log"):
        log.set("file", change["console"])
    channel = find_element(domain, "devices/channel")
    for chosen in channel.findall("source"):
        channel.remove(chosen)
    for console in (*domain.iterfind("devices/serial"), *domain.iterfind("devices/console")):
        console.attrib.pop("tty", None)
        for chosen in console.findall("source"):
            console.remove(chosen)
    return ET.tostring(domain, encoding="unicode")


def find_element(parent: ET.Element, path: str) -> ET.Element:
    """Return the first element of a path. ProvisionError when a saved machine has none."""
    found = parent.find(path)
    if found is None:
        raise ProvisionError(f"reading the saved machine failed: its XML has no {path}")
    return found
