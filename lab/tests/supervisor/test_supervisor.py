"""Programs under a real supervisor."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lab import proc
from lab.errors import CommandFailed, ComponentExited, NotPossible, NotReady, ProvisionError, UsageError
from lab.machines.local import Local
from lab.program import Program
from lab.supervisor import record
from lab.supervisor.client import Supervisor
from lab.supervisor.wire import connect, send_request
from lab.tests.supervision import eventually, harness, is_gone, program, shell, sleeper
from lab.wait import NotYet

pytestmark = pytest.mark.spawns


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path = tmp_path / "a-run-directory-whose-path-is-longer-than-the-address-of-a-unix-socket-may-be" / ("x" * 40)
    path.mkdir(parents=True)
    assert len(str(path)) > 108
    return path


@pytest.fixture
def supervisor(run: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(run, lease=5, backoff=0.05)
    with supervisor.hold("test"):
        yield supervisor
        supervisor.shutdown()


def never() -> None:
    raise NotYet("not yet")


def test_a_program_runs_tagged_in_its_own_session_and_logs_to_its_file(run: Path, supervisor: Supervisor) -> None:
    state = supervisor.start(shell(run, "member1/talker", "echo $WORD $KUBECONFIG; pwd; sleep 1000", env={"WORD": "hello"}, cwd=run))
    assert state.pid

    eventually(lambda: "hello\n" in state.tail() + "\n" and str(run) in state.tail(), "it has spoken")
    assert state.state == "running"
    assert proc.read_tag(state.pid) == str(run)
    assert os.getsid(state.pid) == state.pid
    assert Path(f"/proc/{state.pid}/fd/0").resolve() == Path(os.devnull)
    assert record.read_records(str(run))["member1/talker"]["pid"] == state.pid
    assert (run / "processes" / "member1+talker.json").stat().st_mode & 0o777 == 0o600
    assert (run / "supervisor.sock").stat().st_mode & 0o777 == 0o600


def test_programs_do_not_see_the_environment_of_the_harness(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/somebody/elses")
    monkeypatch.setenv("ETCD_NAME", "a-stranger")
    supervisor = Supervisor(run)
    with supervisor.hold("test"):
        pid = supervisor.start(sleeper(run)).pid
        names = {entry.partition("=")[0] for entry in Path(f"/proc/{pid}/environ").read_text().split("\0") if entry}
        supervisor.shutdown()

    assert names <= {"PATH", "HOME", "LANG", "TZ", "TMPDIR", proc.TAG}


def test_starting_what_runs_changes_nothing(run: Path, supervisor: Supervisor) -> None:
    first = supervisor.start(sleeper(run))
    second = supervisor.start(sleeper(run))

    assert first == second


def test_another_program_of_the_same_name_is_refused_unless_it_replaces(run: Path, supervisor: Supervisor) -> None:
    first = supervisor.start(sleeper(run))
    other = program(run, first.name, "sleep", "2000")
    with pytest.raises(ProvisionError, match="runs already"):
        supervisor.start(other)
    second = supervisor.start(other, replace=True)

    assert second.argv == ("sleep", "2000")
    assert is_gone(first.pid)


def test_stop_is_final_and_idempotent(run: Path, supervisor: Supervisor) -> None:
    machine = Local(run)
    machine.start(sleeper(run))
    pid = supervisor.settle("member1/sleeper").pid
    machine.stop("member1/sleeper")
    machine.stop("member1/sleeper")

    state = supervisor.state("member1/sleeper")
    assert is_gone(pid)
    assert (state.state, state.status, state.restarts) == ("stopped", -signal.SIGTERM, 0)


def test_stop_kills_what_does_not_heed_term_and_what_it_left(run: Path, supervisor: Supervisor) -> None:
    state = supervisor.start(shell(run, "deaf", "trap '' TERM; sleep 1000 & echo $!; while :; do wait; done"))
    eventually(lambda: state.tail().strip().isdigit(), "it has said who its child is")
    supervisor.stop("deaf", within=0.1)

    assert supervisor.state("deaf").status == -signal.SIGKILL
    eventually(lambda: is_gone(int(state.tail())), "its child is gone")


def test_stop_of_an_unknown_program_names_the_known(run: Path, supervisor: Supervisor) -> None:
    supervisor.start(sleeper(run))

    with pytest.raises(UsageError, match="member1/sleeper"):
        supervisor.stop("member1/kube-apiserver")


def test_without_a_supervisor_nothing_runs(run: Path) -> None:
    supervisor = Supervisor(run)
    supervisor.shutdown()
    supervisor.stop("member1/etcd")

    assert supervisor.status() is None
    with pytest.raises(NotPossible):
        supervisor.state("member1/etcd")
    assert not (run / "supervisor.lock").exists()


@pytest.mark.parametrize(
    ("fields", "said"), [({}, "No such file"), ({"cwd": Path("/nowhere")}, "nowhere"), ({"log": Path("/proc/no/log")}, "log")]
)
def test_what_cannot_be_executed_says_why(run: Path, supervisor: Supervisor, fields: dict[str, Path], said: str) -> None:
    argv = "sleep" if fields else "/no/such/binary"
    with pytest.raises(CommandFailed, match=said) as caught:
        supervisor.start(type(sleeper(run))(**{"name": "broken", "argv": (argv, "9"), "log": run / "logs/broken.log", **fields}))  # type: ignore[arg-type]

    assert caught.value.status is None
    assert supervisor.state("broken").state == "exited"


def test_an_exit_before_readiness_is_an_error_with_status_and_log(run: Path, supervisor: Supervisor) -> None:
    name = supervisor.start(shell(run, "member1/etcd", "echo starting; echo no space left >&2; exit 3")).name
    with pytest.raises(ComponentExited) as caught:
        supervisor.ready(name, never, within=30)

    assert caught.value.status == 3
    assert caught.value.detail == "starting\nno space left"
    assert supervisor.exited(name, within=0).restarts == 0


def test_the_log_in_an_error_begins_at_the_last_start(run: Path, supervisor: Supervisor) -> None:
    for word in ("first", "second"):
        name = supervisor.start(shell(run, "member1/etcd", f"echo {word}; exit 1")).name
        supervisor.exited(name, within=5)

    assert supervisor.state(name).tail() == "second"


def test_the_log_of_a_panic_ends_before_its_stacks_and_a_full_disk_has_a_remedy(run: Path, supervisor: Supervisor) -> None:
    said = r"panic: write wal: no space left on device\n\ngoroutine 1 [running]:\nmain.main()"
    name = supervisor.start(shell(run, "member1/etcd", f"printf '{said}' >&2; exit 2")).name
    with pytest.raises(ComponentExited) as caught:
        supervisor.ready(name, never, within=30)

    assert (caught.value.detail or "").strip() == "panic: write wal: no space left on device"
    assert "KARMADA_LAB_RUNS" in (caught.value.remedy or "")


def test_an_exit_because_a_port_is_taken_names_the_holder(run: Path, supervisor: Supervisor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        name = supervisor.start(program(run, "member1/etcd", "false", ports=(port,))).name
        with pytest.raises(ComponentExited) as caught:
            supervisor.ready(name, never, within=30)

    assert f"(pid {os.getpid()})" in str(caught.value.remedy)


def test_a_program_that_does_not_get_ready_is_an_error_with_its_log(run: Path, supervisor: Supervisor) -> None:
    name = supervisor.start(shell(run, "member1/etcd", "echo waiting for godot; sleep 1000")).name
    eventually(lambda: supervisor.state(name).tail(), "it has spoken")
    with pytest.raises(NotReady) as caught:
        supervisor.ready(name, never, within=0.1)

    assert caught.value.detail == "waiting for godot"
    assert not supervisor.state(name).settled


def test_a_settled_program_is_restarted_with_back_off(run: Path, supervisor: Supervisor) -> None:
    crasher = shell(run, "crasher", f"echo x >>{run}/starts; test $(wc -l <{run}/starts) -ge 4 || exec sleep 0.01; exec sleep 1000")
    supervisor.start(crasher)
    supervisor.settle("crasher")
    # It runs before its shell has come as far as its first word.
    eventually(lambda: (run / "starts").exists() and (run / "starts").read_text() == "x\n" * 4, "it was started four times")

    assert supervisor.state("crasher").restarts == 3
    eventually(lambda: supervisor.state("crasher").runs, "it runs")
    assert record.read_records(str(run))["crasher"]["restarts"] == 3


def test_the_delay_before_a_restart_doubles(run: Path, supervisor: Supervisor) -> None:
    supervisor.start(shell(run, "crasher", "sleep 0.05; exit 1"))
    supervisor.settle("crasher")
    delays = set()

    def seen() -> bool:
        state = supervisor.state("crasher")
        delays.add(state.delay)
        return state.restarts >= 3

    eventually(seen, "three restarts")
    assert delays - {0.0} <= {0.05, 0.1, 0.2, 0.4}
    assert len(delays - {0.0}) >= 2


def test_an_outside_signal_is_a_crash_and_a_stop_is_not(run: Path, supervisor: Supervisor) -> None:
    first = supervisor.start(sleeper(run))
    supervisor.settle(first.name)
    supervisor.signal(first.name, signal.SIGKILL)
    eventually(lambda: supervisor.state(first.name).restarts == 1 and supervisor.state(first.name).runs, "it was restarted")
    supervisor.stop(first.name, kill=True)

    state = supervisor.exited(first.name, within=0.3)
    assert (state.state, state.status, state.restarts) == ("stopped", -signal.SIGKILL, 1)


def test_settling_what_has_ended_is_an_error(run: Path, supervisor: Supervisor) -> None:
    name = supervisor.start(program(run, "brief", "true")).name
    supervisor.exited(name, within=5)

    with pytest.raises(ComponentExited):
        supervisor.settle(name)


def test_restart_is_another_process_of_the_same_program(run: Path, supervisor: Supervisor) -> None:
    first = supervisor.start(sleeper(run))
    supervisor.settle(first.name)
    second = supervisor.restart(first.name)

    assert second.pid != first.pid
    assert (second.argv, second.settled, second.restarts) == (first.argv, True, 0)
    assert is_gone(first.pid)


def test_fifty_programs_start_at_once_under_one_supervisor(run: Path) -> None:
    supervisor = Supervisor(run)
    with ThreadPoolExecutor(50) as pool, supervisor.hold("test"):
        states = list(pool.map(lambda n: Supervisor(run).start(sleeper(run, f"member{n}/etcd")), range(50)))
        owners = {Path(f"/proc/{state.pid}/stat").read_text().rpartition(")")[2].split()[1] for state in states}
        began = time.monotonic()
        supervisor.shutdown()
        took = time.monotonic() - began

    assert len(owners) == 1
    assert all(is_gone(state.pid) for state in states)
    assert took < 5


def test_many_harnesses_find_one_supervisor(run: Path) -> None:
    with ThreadPoolExecutor(12) as pool:
        holds = list(pool.map(lambda n: Supervisor(run).hold(f"gw{n}"), range(12)))
        status = Supervisor(run).status()
        released = [hold.release() for hold in holds]
    Supervisor(run).shutdown()

    assert status
    assert sorted(label for label, _ in status.holders) == sorted(f"gw{n}" for n in range(12))
    assert released == [False] * 11 + [True]


def test_shutdown_stops_programs_without_dependents_first(run: Path, supervisor: Supervisor) -> None:
    def dutiful(name: str, *needs: str) -> None:
        script = f"trap 'echo {name} >>{run}/ended; exit 0' TERM; echo up; while :; do sleep 0.02; done"
        supervisor.start(shell(run, name, script, needs=needs))

    dutiful("etcd")
    dutiful("apiserver", "etcd", "some-step-that-is-no-program")
    dutiful("scheduler", "apiserver")
    dutiful("controller-manager", "apiserver")
    eventually(
        lambda: all(supervisor.state(name).tail() == "up" for name in ("etcd", "apiserver", "scheduler", "controller-manager")), "up"
    )
    supervisor.shutdown(within=5)

    ended = (run / "ended").read_text().split()
    assert sorted(ended[:2]) == ["controller-manager", "scheduler"]
    assert ended[2:] == ["apiserver", "etcd"]
    assert supervisor.status() is None
    assert not (run / "supervisor.sock").exists()


def test_shutdown_ends_deaf_programs_commands_and_daemons_in_its_time(run: Path, supervisor: Supervisor) -> None:
    for n in range(4):
        supervisor.start(shell(run, f"deaf{n}", "trap '' TERM; while :; do sleep 1; done", needs=("deaf0",) if n else ()))
    state = supervisor.start(shell(run, "daemoniser", "setsid sleep 1000 & echo $!"))
    eventually(lambda: supervisor.state("daemoniser").tail().isdigit(), "it has daemonised")
    began = time.monotonic()
    supervisor.shutdown(within=1.0)

    assert time.monotonic() - began < 3
    assert is_gone(int(state.tail()))
    assert not list(proc.find_tagged_processes(str(run)))


def test_nonsense_is_refused_and_survived(run: Path, supervisor: Supervisor) -> None:
    def connected() -> socket.socket:
        peer = connect(run)
        assert peer
        return peer

    for said in (
        b"hello\n",
        b"[]\n",
        b"{}\n",
        b'{"op":"start"}\n',
        b'{"op":"start","program":{"name":"../x","argv":["a"]}}\n',
        b'{"op":7}\n',
    ):
        with connected() as peer:
            peer.sendall(said)
            assert b'"ok": false' in peer.recv(4096)
    with connected() as peer:
        peer.sendall(b"half a li")
    with connected() as peer:
        assert send_request(peer, {"op": "list"}, within=5, run=run)["ok"]
        assert send_request(peer, {"op": "list"}, within=5, run=run)["ok"]


def test_a_disk_that_takes_no_records_does_not_end_the_supervisor(run: Path, supervisor: Supervisor) -> None:
    (run / "processes").write_text("in the way")
    state = supervisor.start(sleeper(run))

    assert state.runs
    assert supervisor.alive()
    assert record.read_records(str(run)) == {}


def test_a_supervisor_that_does_not_answer_is_taken_down_all_the_same(
    run: Path, supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = supervisor.start(sleeper(run)).pid
    status = supervisor.status()
    assert status
    os.kill(status.pid, signal.SIGSTOP)
    monkeypatch.setattr("lab.supervisor.client.PATIENCE", 0.1)
    supervisor.shutdown(within=0.1)

    assert is_gone(status.pid)
    assert is_gone(pid)


def test_the_supervisor_is_small_and_idle(run: Path, supervisor: Supervisor) -> None:
    for n in range(20):
        supervisor.start(sleeper(run, f"program{n}"))
    status = supervisor.status()
    assert status
    lines = Path(f"/proc/{status.pid}/status").read_text().splitlines()
    resident = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    assert resident < 20 * 1024


def counts(run: Path, name: str) -> Program:
    return shell(run, name, "while :; do echo x; sleep 0.01; done")


def grows(log: Path) -> bool:
    before = log.stat().st_size
    time.sleep(0.3)
    return log.stat().st_size > before


def test_a_frozen_program_does_nothing_and_then_goes_on(run: Path, supervisor: Supervisor) -> None:
    one = counts(run, "member1/one")
    supervisor.start(one)
    eventually(lambda: one.log.exists() and one.log.stat().st_size, "it writes")

    with supervisor.freeze(["member1/one"]):
        assert not grows(one.log)
    assert grows(one.log)


def test_programs_go_on_when_who_froze_them_is_killed(run: Path, supervisor: Supervisor) -> None:
    one = counts(run, "member1/one")
    supervisor.start(one)
    other = harness(run, 'frozen = Supervisor(run).freeze(["member1/one"])', "frozen.__enter__()")
    try:
        assert not grows(one.log)
    finally:
        other.kill()
        other.communicate()
    eventually(lambda: grows(one.log), "it goes on")


def test_what_is_frozen_can_be_stopped(run: Path, supervisor: Supervisor) -> None:
    supervisor.start(sleeper(run))

    with supervisor.freeze(["member1/sleeper"]):
        supervisor.stop("member1/sleeper", within=5.0)
        assert supervisor.state("member1/sleeper").state == "stopped"


def test_a_program_that_was_never_started_cannot_be_frozen(run: Path, supervisor: Supervisor) -> None:
    with pytest.raises(UsageError), supervisor.freeze(["member1/none"]):
        pass
    with pytest.raises(NotPossible), Supervisor(run.parent).freeze(["member1/none"]):
        pass
