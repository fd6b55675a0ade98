"""Archives of images: what is in one, and that the same images are the same bytes."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from lab.assets import Cache
from lab.errors import UsageError
from lab.images import ArchiveStore, Image, ImageFile, make_archive
from lab.images.archive import read_names
from lab.tests.images_fakes import TOOL, WEB


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    program = tmp_path / "web"
    program.write_bytes(b"program" * 1000)
    return {"web@1.0.0": program}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


def opened(path: Path) -> tuple[tarfile.TarFile, list[dict[str, Any]]]:
    tar = tarfile.open(path)  # noqa: SIM115 (the test closes it)
    member = tar.extractfile("manifest.json")
    assert member is not None
    return tar, json.load(member)


def test_an_archive_holds_what_the_image_says(paths: dict[str, Path], cache: Cache) -> None:
    tar, (manifest,) = opened(make_archive([WEB], paths, cache=cache).path)

    assert manifest["RepoTags"] == ["docker.io/karmada/web:v1"]
    config = json.load(tar.extractfile(manifest["Config"]))  # type: ignore[arg-type]
    assert config["config"]["Entrypoint"] == ["/bin/web"]
    assert config["config"]["Env"][0].startswith("PATH=")
    found = {}
    for path in manifest["Layers"]:
        with tarfile.open(fileobj=tar.extractfile(path)) as layer:
            for member in layer:
                found[member.name] = layer.extractfile(member).read() if member.isfile() else None  # type: ignore[union-attr]
    assert found == {"bin": None, "bin/web": b"program" * 1000, "etc": None, "etc/web.conf": b"x=1\n"}
    tar.close()


def test_layers_are_named_and_described_by_their_hashes(paths: dict[str, Path], cache: Cache) -> None:
    import hashlib

    archive = make_archive([WEB, TOOL], paths, cache=cache)
    tar, manifests = opened(archive.path)
    index = json.load(tar.extractfile("index.json"))  # type: ignore[arg-type]

    assert [each["annotations"]["io.containerd.image.name"] for each in index["manifests"]] == [WEB.name, TOOL.name]
    assert [each["digest"] for each in index["manifests"]] == [image.digest for image in archive.images]
    for member in tar:
        if member.name.startswith("blobs/"):
            content = tar.extractfile(member).read()  # type: ignore[union-attr]
            assert member.name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    for manifest in manifests:
        config = json.load(tar.extractfile(manifest["Config"]))  # type: ignore[arg-type]
        assert [f"blobs/sha256/{each.removeprefix('sha256:')}" for each in config["rootfs"]["diff_ids"]] == manifest["Layers"]
    tar.close()


def test_images_share_the_layer_of_a_file_that_both_have(paths: dict[str, Path], cache: Cache) -> None:
    tar, (web, tool) = opened(make_archive([WEB, TOOL], paths, cache=cache).path)

    assert web["Layers"][0] == tool["Layers"][0]
    assert len([name for name in tar.getnames() if name == web["Layers"][0]]) == 1
    tar.close()


def test_the_same_images_are_the_same_bytes_and_written_once(paths: dict[str, Path], cache: Cache, tmp_path: Path) -> None:
    first, again = make_archive([WEB, TOOL], paths, cache=cache), make_archive([WEB, TOOL], paths, cache=cache)
    elsewhere = make_archive([WEB, TOOL], paths, cache=Cache(tmp_path / "other"))

    assert (first.path, first.created) == (again.path, again.created)
    assert elsewhere.path.read_bytes() == first.path.read_bytes()


def test_another_content_is_another_archive(paths: dict[str, Path], cache: Cache) -> None:
    first = make_archive([WEB], paths, cache=cache)
    paths["web@1.0.0"].write_bytes(b"another")

    second = make_archive([WEB], paths, cache=cache)
    assert second.key != first.key
    assert second.images[0].id != first.images[0].id
    assert {archive.key for archive in ArchiveStore(cache).archives()} == {first.key, second.key}


def test_a_directory_asset_becomes_a_directory(tmp_path: Path, cache: Cache) -> None:
    tree = tmp_path / "tree"
    (tree / "deep").mkdir(parents=True)
    (tree / "deep" / "one.yaml").write_text("a: 1\n")
    tar, (manifest,) = opened(make_archive([Image("localhost/x:1", (ImageFile("/crds", asset="tree"),))], {"tree": tree}, cache=cache).path)

    with tarfile.open(fileobj=tar.extractfile(manifest["Layers"][0])) as layer:
        assert layer.getnames() == ["crds", "crds/deep", "crds/deep/one.yaml"]
    tar.close()


def test_names_of_an_archive_can_be_read_back(paths: dict[str, Path], cache: Cache) -> None:
    with make_archive([WEB, TOOL], paths, cache=cache).path.open("rb") as file:
        assert read_names(file) == [WEB.name, TOOL.name]
    with pytest.raises(tarfile.TarError):
        read_names(io.BytesIO(b"no archive"))


def test_two_images_of_one_name_and_missing_assets_are_refused_before_anything_is_written(paths: dict[str, Path], cache: Cache) -> None:
    with pytest.raises(UsageError, match="web:v1"):
        make_archive([WEB, WEB], paths, cache=cache)
    with pytest.raises(UsageError, match=r"web@1\.0\.0"):
        make_archive([WEB], {}, cache=cache)
    assert not cache.root.exists()
