from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import ports
from lab.errors import NotPossible
from lab.run import Run

SPAN = range(20_000, 20_010)


def made(root: Path, name: str) -> Path:
    path = root / name
    path.mkdir(exist_ok=True)
    return path


def test_ports_are_below_what_the_kernel_gives_away() -> None:
    assert ports.list_candidates((32_768, 60_999)) == range(10_240, 30_000)
    assert ports.list_candidates((15_000, 40_000)) == range(40_001, 65_536)
    assert ports.list_candidates((1_024, 65_535)) == range(10_240, 30_000)


def test_a_run_reserves_distinct_free_ports_exclusively(tmp_path: Path) -> None:
    a, b, where = made(tmp_path, "a"), made(tmp_path, "b"), tmp_path / "ports"
    first = ports.reserve(a, 4, where=where, span=SPAN, free=lambda _: True)
    second = ports.reserve(b, 4, where=where, span=SPAN, free=lambda _: True)

    assert len({*first, *second}) == 8
    assert ports.reserved_ports(where) == sorted([(port, a) for port in first] + [(port, b) for port in second])


def test_a_port_that_cannot_be_bound_is_passed_over(tmp_path: Path) -> None:
    got = ports.reserve(made(tmp_path, "a"), 5, where=tmp_path / "ports", span=SPAN, free=lambda port: port % 2 == 0)

    assert sorted(got) == [20_000, 20_002, 20_004, 20_006, 20_008]


def test_too_few_ports_reserve_none_and_say_what_to_do(tmp_path: Path) -> None:
    where = tmp_path / "ports"
    with pytest.raises(NotPossible, match="lab gc"):
        ports.reserve(made(tmp_path, "a"), 11, where=where, span=SPAN, free=lambda _: True)

    assert ports.reserved_ports(where) == []
    assert len(ports.reserve(made(tmp_path, "a"), 10, where=where, span=SPAN, free=lambda _: True)) == 10


def test_reservations_end_with_their_run_directory(tmp_path: Path) -> None:
    gone, there, where = made(tmp_path, "gone"), made(tmp_path, "there"), tmp_path / "ports"
    ports.reserve(gone, 10, where=where, span=SPAN, free=lambda _: True)
    gone.rmdir()

    assert len(ports.reserve(there, 10, where=where, span=SPAN, free=lambda _: True)) == 10


def test_a_reservation_of_nonsense_is_taken_over(tmp_path: Path) -> None:
    where = made(tmp_path, "ports")
    for port in SPAN:
        (where / str(port)).write_text("")

    assert len(ports.reserve(made(tmp_path, "a"), 10, where=where, span=SPAN, free=lambda _: True)) == 10


def test_release_gives_back_those_of_one_run(tmp_path: Path) -> None:
    a, b, where = made(tmp_path, "a"), made(tmp_path, "b"), tmp_path / "ports"
    first = ports.reserve(a, 3, where=where, span=SPAN, free=lambda _: True)
    second = ports.reserve(b, 3, where=where, span=SPAN, free=lambda _: True)

    assert sorted(ports.release(a, where=where)) == sorted(first)
    assert ports.release(a, where=where) == []
    assert {port for port, _ in ports.reserved_ports(where)} == set(second)


def test_a_run_begins_at_a_place_of_its_own(tmp_path: Path) -> None:
    span = range(10_000, 30_000)
    starts = {
        ports.reserve(made(tmp_path, f"run{n}"), 1, where=tmp_path / f"ports{n}", span=span, free=lambda _: True)[0] for n in range(20)
    }

    assert len(starts) == 20
    assert ports.reserve(made(tmp_path, "run0"), 1, where=tmp_path / "again", span=span, free=lambda _: True)[0] in starts


def test_many_at_once_never_get_the_same_port(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        got = list(
            pool.map(lambda n: ports.reserve(made(tmp_path, f"r{n % 4}"), 5, where=tmp_path / "ports", free=lambda _: True), range(16))
        )

    assert len({port for some in got for port in some}) == 80


def test_a_place_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotPossible, match="KARMADA_LAB_CACHE"):
        ports.reserve(made(tmp_path, "a"), 1, where=tmp_path / "file" / "ports")


def test_ports_of_a_cluster_are_the_same_each_time(tmp_path: Path) -> None:
    run, where = Run.create("one", {}, root=tmp_path), tmp_path / "ports"
    first = ports.ports_of(run, "member1", ["etcd", "apiserver"], where=where)

    assert ports.ports_of(run, "member1", ["apiserver", "etcd"], where=where) == first
    assert ports.ports_of(run, "member1", ["etcd", "kwok"], where=where)["etcd"] == first["etcd"]
    assert len(ports.reserved_ports(where)) == 3
    assert set(ports.ports_of(run, "member2", ["etcd"], where=where).values()).isdisjoint(first.values())


def test_a_port_that_is_listened_on_is_not_free_and_its_holder_is_known() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        holder = ports.find_listener(port)

        assert not ports.is_free(port)
        assert holder
        assert (holder.pid, holder.run) == (os.getpid(), None)
        assert ports.find_listener(port, other_than=os.getpid()) is None
    assert ports.is_free(port)


def test_a_port_with_a_foreign_listener_is_replaced(tmp_path: Path) -> None:
    run, where = Run.create("one", {}, root=tmp_path), tmp_path / "ports"
    before = ports.ports_of(run, "member1", ["etcd", "apiserver"], where=where)
    assert ports.replace_taken_ports(run, where=where) == []

    with socket.create_server(("127.0.0.1", before["etcd"])):
        assert ports.replace_taken_ports(run, where=where) == [before["etcd"]]
    after = ports.ports_of(run, "member1", ["etcd", "apiserver"], where=where)
    assert after["apiserver"] == before["apiserver"]
    assert after["etcd"] != before["etcd"]
    assert before["etcd"] not in {port for port, _ in ports.reserved_ports(where)}
