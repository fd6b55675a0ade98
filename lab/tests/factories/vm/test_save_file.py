from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lab.errors import ProvisionError
from lab.factories.vm.save_file import HEADER, MAGIC, change_xml, copy_saved, read_xml

XML = """<domain type="qemu"><name>old</name><uuid>1</uuid><description>d</description><devices>
<disk type="file"><source file="/old.qcow2" index="2"/><backingStore type="file"/><target dev="vda"/></disk>
<disk type="file"><source file="/seed.iso"/><target dev="vdb"/></disk>
<interface type="network"><mac address="52:54:00:00:00:01"/><source network="n1" portid="p" bridge="b"/><target dev="vnet0"/></interface>
<serial type="pty"><source path="/dev/pts/1"/><log file="/old.log" append="on"/></serial>
<channel type="unix"><source mode="bind" path="/old.sock"/><target type="virtio" name="agent"/></channel>
</devices><seclabel type="dynamic"/></domain>"""
CHANGE = {
    "name": "new",
    "uuid": "2",
    "description": "of another <lab>",
    "disk": "/new.qcow2",
    "seed": "/new.iso",
    "mac": "52:54:00:00:00:02",
    "network": "n2",
    "console": "/new.log",
}
MEMORY = bytes(range(256)) * 40


def write_saved(path: Path, *, length: int = 4000, cookie: bytes = b"<cookie/>") -> Path:
    xml = XML.encode() + b"\0"
    data = (xml + cookie + b"\0").ljust(length, b"\0")
    path.write_bytes(HEADER.pack(MAGIC, 2, len(data), 1, 0, len(xml), *([0] * 14)) + data + MEMORY)
    return path


def test_a_copy_has_another_identity_and_the_same_memory_and_notes(tmp_path: Path) -> None:
    source, copy = write_saved(tmp_path / "saved"), tmp_path / "copy"
    copy_saved(source, copy, CHANGE)

    with copy.open("rb") as saved:
        fields, document, notes = read_xml(saved)
        assert saved.read() == MEMORY
    assert (fields[1], fields[2], fields[3], notes) == (2, 4000, 1, b"<cookie/>")
    assert ET.fromstring(document).findtext("name") == "new"
    assert copy.stat().st_mode & 0o777 == 0o600


def test_a_longer_description_makes_room(tmp_path: Path) -> None:
    source, copy = write_saved(tmp_path / "saved", length=0), tmp_path / "copy"
    copy_saved(source, copy, {**CHANGE, "description": "x" * 2000})

    with copy.open("rb") as saved:
        assert "x" * 2000 in read_xml(saved)[1]
        assert saved.read() == MEMORY


def test_what_libvirt_chose_for_the_first_machine_is_left_out() -> None:
    text = change_xml(XML, CHANGE)
    domain = ET.fromstring(text)

    assert not any(old in text for old in ("old", "vnet0", "portid", "backingStore", "seclabel", "/dev/pts"))
    assert [disk.attrib for disk in domain.iterfind("devices/disk/source")] == [{"file": "/new.qcow2"}, {"file": "/new.iso"}]
    assert domain.findtext("description") == "of another <lab>"


@pytest.mark.parametrize("content", [b"", b"QEVM" + b"\0" * 200])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "saved").write_bytes(content)
    with pytest.raises(ProvisionError, match="libvirt"):
        copy_saved(tmp_path / "saved", tmp_path / "copy", CHANGE)
