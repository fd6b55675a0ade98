"""The image of a machine: what is in it, and that one that is there is not made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.assets.cache import Cache
from lab.images import machine
from lab.machines.scripted import Scripted


@pytest.fixture
def kind_files(tmp_path: Path) -> Path:
    for path in machine.ENTRYPOINT:
        file = tmp_path / "kind-files" / path.removeprefix("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)
    return tmp_path / "kind-files"


def test_a_machine_has_systemd_and_nothing_of_kubernetes(kind_files: Path) -> None:
    image = machine.make_machine_image(kind_files)

    assert image.entrypoint[-1] == "/usr/sbin/init"
    assert not {"containerd", "runc", "kubelet"} & {
        *(image.root.names if image.root else ()),
        *(Path(file.path).name for file in image.files),
    }


def test_an_image_that_is_there_is_not_loaded_again(kind_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class MadeArchive:
        key, path = "0123456789abcdef", tmp_path / "images.tar"

    monkeypatch.setattr(machine, "make_archive", lambda *_, **__: MadeArchive())
    there: list[str] = []

    def load(_: tuple[str, ...]) -> str:
        there.append("id")
        return ""

    engine = Scripted({("docker", "image", "ls"): lambda _: "".join(there), ("docker", "load"): load, ("docker", "tag"): ""})
    cache = Cache(tmp_path / "cache")

    first = machine.build_machine_image(engine, {"kind-files": kind_files}, cache=cache)
    again = machine.build_machine_image(engine, {"kind-files": kind_files}, cache=cache)

    assert first == again == "karmada-lab/machine:0123456789ab"
    assert engine.transcript().count("docker load") == 1
