from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main

import lab.take_down
from deployers.commands import join
from deployers.commands.join import JoinMode, mode_of
from lab import interrupt
from lab.cli import complete
from lab.commands import down, logs
from lab.component import Component, record_health
from lab.errors import LabError, ProvisionError, UsageError
from lab.lock import Holder
from lab.status import lab_status
from lab.tests.cli_fakes import World, invoke, ready, state, status, world
from lab.verbs import app

__all__ = ["world"]


# -- all verbs ------------------------------------------------------------------------------------------------------------------


def commands_of(group: Any, prefix: str = "") -> dict[str, Any]:
    """Every command by its full name."""
    found: dict[str, Any] = {}
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        found.update(commands_of(command, f"{prefix}{name} ") if hasattr(command, "commands") else {f"{prefix}{name}": command})
    return found


COMMANDS = commands_of(typer.main.get_command(app))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_word_is_explained(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    for parameter in command.params:
        if parameter.name in {"help", "install_completion", "show_completion"}:
            continue
        assert parameter.help, f"{name} {parameter.name}"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_list_of_verbs_shows_whole_sentences(name: str) -> None:
    assert not COMMANDS[name].get_short_help_str(60).endswith("...")


def test_no_verb_is_usage() -> None:
    assert invoke().code in {0, 2}
    assert invoke("nonsense").code == 2


@pytest.mark.spawns
@pytest.mark.parametrize("words", [["--help"], ["status", "--lab", "none"], ["down", "--lab", "none"]])
def test_quick_verbs_import_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    program = (
        "import sys; from lab.verbs import app\n"
        "try: app(sys.argv[1:])\nexcept SystemExit: pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    env = os.environ | {"KARMADA_LAB_RUNS": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, env=env, check=True)

    heavy = {"kubernetes", "httpx", "cryptography", "rich", "psutil", "deployers"}
    assert heavy.isdisjoint(done.stderr.splitlines()[-1].split())


# -- status -----------------------------------------------------------------------------------------------------------------------


def test_status_of_a_lab_that_serves(world: World) -> None:
    world.run()
    world.status = status(state("host/etcd"), state("karmada/karmada-webhook"))
    done = invoke("status")

    assert done.code == 0
    for expected in ("lab default  up", "host/etcd", "4000000", "member2", "Ready", "held by lab up, pytest gw0 ×2"):
        assert expected in done.out


def test_status_as_json(world: World) -> None:
    world.run()
    world.status = status(state("host/etcd"))
    seen = json.loads(invoke("status", "-o", "json").out)

    assert (seen["schema"], seen["lab"], seen["state"], seen["kept"]) == (1, "default", "up", True)
    component = seen["components"][0]
    assert (component["cluster"], component["name"], component["state"], component["restarts"]) == ("host", "etcd", "running", 2)
    assert seen["members"][0] == {"name": "member1", "mode": "push", "ready": True, "version": "v1.35.4", "why": ""}
    assert seen["holders"][0] == {"label": "lab up", "pid": 7}


@pytest.mark.parametrize("bad", [state("member1/etcd", "exited"), state("member1/etcd", "waiting"), state("member1/etcd", settled=False)])
def test_a_program_that_does_not_serve_makes_status_fail(world: World, bad: Any) -> None:
    world.run()
    world.status = status(state("host/etcd"), bad)
    done = invoke("status")

    assert done.code == 1
    assert "degraded: member1/etcd is " in done.out.splitlines()[0]


def test_the_first_line_names_the_first_cause_and_how_much_more_is_wrong(world: World) -> None:
    world.run()
    world.status = status(
        state("karmada/karmada-scheduler", "waiting", needs=("karmada/etcd",)), state("karmada/etcd", "exited"), state("host/etcd")
    )
    world.wrong = ["node member1/n0 is not Ready (Unknown)"]
    done = invoke("status")

    assert done.out.splitlines()[0].startswith("lab default  degraded: karmada/etcd is exited (and 2 more)")
    assert "  node member1/n0 is not Ready (Unknown)" in done.out.splitlines()


def test_what_an_examination_finds_makes_status_fail(world: World) -> None:
    world.run()
    world.status = status(state("host/etcd"), state("karmada/karmada-webhook"))
    world.wrong = ["karmada/karmada-webhook does not serve: refused"]
    done = invoke("status", "--lab", "default")

    assert done.code == 1
    assert "karmada/karmada-webhook does not serve" in done.out.splitlines()[0]
    assert "lab restart karmada/karmada-webhook" in done.out


@pytest.mark.parametrize("known", [True, False])
def test_a_program_that_the_lab_is_expected_to_run_is_missed(world: World, known: bool) -> None:
    record_health(Component("karmada/karmada-webhook", Path("/bin/w"), {}), world.run())
    world.status = status(state("host/etcd"), *([state("karmada/karmada-webhook", "stopped")] if known else []))
    done = invoke("status")

    assert done.code == 1
    assert f"karmada/karmada-webhook is {'stopped' if known else 'missing'}" in done.out.splitlines()[0]


@pytest.mark.parametrize(("letter", "seen"), [("T", "paused"), ("t", "paused"), ("Z", "zombie"), ("S", "")])
def test_a_process_that_is_there_and_does_nothing_does_not_run(letter: str, seen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda _: f"7 (a (b) c) {letter} 1 7 7")

    assert lab_status.kernel_state(7) == seen
    part = lab_status.program_status(state("member1/kwok", pid=7), 2000.0)
    assert (part.state, part.ok) == (seen or "running", not seen)


def test_a_paused_program_says_how_to_go_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab_status, "kernel_state", lambda pid: "paused" if pid == 4_000_000 else "")
    world.run("blue")
    world.status = status(state("host/etcd", pid=3_999_999), state("member1/kwok"))
    done = invoke("status", "--lab", "blue")

    assert done.code == 1
    assert "member1/kwok is paused" in done.out.splitlines()[0]
    assert "kill -CONT 4000000" in done.out


def test_a_supervisor_that_does_not_answer_is_not_well(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Paused:
        def __init__(self, path: Path) -> None: ...

        def status(self) -> None:
            raise ProvisionError("the supervisor of lab default is paused (pid 7)", remedy="kill -CONT 7")

    world.run()
    monkeypatch.setattr(lab_status, "Supervisor", Paused)
    done = invoke("status")

    assert done.code == 1
    assert "kill -CONT 7" in done.err


def test_a_program_that_was_stopped_on_purpose_does_not(world: World) -> None:
    world.run()
    world.status = status(state("host/etcd"), state("member3/karmada-agent", "stopped"))

    assert invoke("status").code == 0


@pytest.mark.parametrize("members", ["Karmada does not answer: refused", [ready("member1")]])
def test_members_that_are_not_ready_make_status_fail(world: World, members: Any) -> None:
    world.run()
    world.status = status(state("host/etcd"))
    world.members = members

    assert invoke("status").code == 1


def test_status_of_a_kept_lab_says_how_to_go_on(world: World) -> None:
    run = world.run()
    processes = run.folder("processes")
    row = {key: getattr(state("host/etcd"), key) for key in state("host/etcd").__dataclass_fields__}
    (processes / "host+etcd.json").write_text(json.dumps({**row, "state": "stopped", "log": "/l"}))
    done = invoke("status")

    assert done.code == 1
    assert "its state is kept" in done.out
    assert "lab up starts them again" in done.out


def test_status_of_no_lab_is_usage_and_names_those_there_are(world: World) -> None:
    world.run("blue")
    done = invoke("status")

    assert done.code == 2
    assert "blue" in done.err
    assert done.out == ""


# -- conformance ------------------------------------------------------------------------------------------------------------------


def test_a_lab_that_does_not_run_is_not_asked_to_keep_its_promises(world: World) -> None:
    world.run()
    done = invoke("conformance")

    assert done.code == 2
    assert "is not running" in done.err
    assert "lab up" in done.err
    assert not (world.root / "conformance.jsonl").exists()


# -- down -------------------------------------------------------------------------------------------------------------------------


def test_down_and_down_keep(world: World) -> None:
    world.run()

    assert invoke("down", "--keep").code == 0
    assert invoke("down").code == 0
    assert world.taken == [True, False]


@pytest.mark.parametrize(
    ("argv", "signals"),
    [
        (("/usr/bin/python3", "/v/bin/lab", "up", "--lab", "blue"), [signal.SIGTERM, signal.SIGCONT]),
        (("python3", "-m", "lab", "up"), [signal.SIGTERM, signal.SIGCONT]),
        (("/v/bin/lab", "down", "--lab", "blue"), []),
        (("python3", "-m", "lab", "upgrade", "1.18.2"), []),
        (("python3", "-m", "pytest", "up"), []),
        ((), []),
    ],
)
def test_down_says_for_whom_it_waits_and_interrupts_up_alone(
    argv: tuple[str, ...], signals: list[int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sent: list[int] = []

    def send(_pid: int, _started: int, number: int) -> bool:
        sent.append(number)
        return True

    monkeypatch.setattr("lab.proc.send_signal", send)
    holder = Holder(77, 5, argv, 42.0)
    down.end_holder("blue", holder, 0.0)
    assert "pid 77" in capsys.readouterr().err
    assert sent == signals
    down.end_holder("blue", holder, 5.0)
    assert sent == signals, "once"


def test_one_program_is_no_plural(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.take_down, "take_down", lambda run, **_: lab.take_down.TakeDownResult(1, kept=False))
    world.run()

    assert "1 program ended" in invoke("down").err


def test_down_of_nothing_is_fine(world: World) -> None:
    done = invoke("down", "-o", "json")

    assert done.code == 0
    assert json.loads(done.out)["programs"] == 0
    assert world.taken == []


def test_down_of_a_half_written_run_names_what_removes_it(world: World) -> None:
    (world.root / "default").mkdir(parents=True)
    done = invoke("down")

    assert done.code == 3
    assert "lab gc --lab default" in done.err


# -- kubeconfig, env, exec --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ([], "kubeconfig.yaml"),
        (["member1"], "kubeconfig/member1.yaml"),
        (["karmada-host"], "kubeconfig/host.yaml"),
        (["karmada"], "kubeconfig/karmada.yaml"),
        (["karmada-apiserver"], "kubeconfig/karmada.yaml"),
    ],
)
def test_kubeconfig_is_a_path_or_its_content(world: World, words: list[str], file: str) -> None:
    path = world.run().path / file

    assert invoke("kubeconfig", *words).out == f"{path}\n"
    assert path.read_text() in invoke("kubeconfig", *words, "--print").out


def test_kubeconfig_of_an_unknown_cluster_lists_what_there_is(world: World) -> None:
    world.run()
    done = invoke("kubeconfig", "member9")

    assert done.code == 2
    assert "host, karmada, member1" in done.err


@pytest.fixture
def clients(world: World, tmp_path: Path) -> Path:
    """The bin directory of a lab, linked already."""
    folder = world.run().folder("bin")
    program = tmp_path / "kubectl"
    program.write_text("")
    (folder / "kubectl").symlink_to(program)
    return folder


def test_env_is_for_eval(world: World, clients: Path) -> None:
    lines = dict(line.removeprefix("export ").split("=", 1) for line in invoke("env", PATH="/usr/bin:/bin").out.splitlines())

    assert lines["KUBECONFIG"] == str(world.root / "default" / "kubeconfig.yaml")
    assert lines["PATH"] == f"{clients}:/usr/bin:/bin"
    assert (lines["KARMADA_LAB"], lines["KARMADA_LAB_RUNS"]) == ("default", str(world.root))


def test_env_twice_adds_to_path_once(world: World, clients: Path) -> None:
    assert f"export PATH={clients}:/bin\n" in invoke("env", PATH=f"{clients}:/bin").out


def test_exec_becomes_the_command(world: World, clients: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(os, "execvpe", lambda *call: calls.append(call))
    invoke("exec", "--", "kubectl", "get", "nodes", "-o", "json")

    program, argv, env = calls[0]
    assert (program, argv) == ("kubectl", ["kubectl", "get", "nodes", "-o", "json"])
    assert env["PATH"].startswith(str(clients))


@pytest.mark.parametrize(
    ("caller", "expected"), [({}, ""), ({"no_proxy": "corp.test"}, "corp.test,"), ({"NO_PROXY": "corp.test"}, "corp.test,")]
)
def test_clusters_of_a_lab_are_reached_directly(
    world: World, clients: Path, monkeypatch: pytest.MonkeyPatch, caller: dict[str, str], expected: str
) -> None:
    calls: list[dict[str, str]] = []
    monkeypatch.setattr(os, "execvpe", lambda *call: calls.append(call[2]))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    odd = {"HTTPS_PROXY": "http://127.0.0.1:9", "KUBECONFIG": "/odd", "HELM_KUBEAPISERVER": "https://odd", "HELM_DRIVER": "secret"}
    invoke("exec", "--", "kubectl", "get", "nodes", **odd, **caller)
    printed = invoke("env", **odd, **caller).out

    assert calls[0]["NO_PROXY"] == calls[0]["no_proxy"] == f"{expected}localhost,127.0.0.1,::1,172.18.0.2"
    assert f"export no_proxy={expected}localhost,127.0.0.1,::1,172.18.0.2\n" in printed
    assert (calls[0]["HTTPS_PROXY"], calls[0]["HELM_DRIVER"]) == ("http://127.0.0.1:9", "secret")
    assert calls[0]["KUBECONFIG"] == str(world.root / "default" / "kubeconfig.yaml")
    assert "HELM_KUBEAPISERVER" not in calls[0]
    assert "unset HELM_KUBEAPISERVER\n" in printed


def test_exec_of_a_program_that_is_not_there(world: World, clients: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    monkeypatch.setattr(os, "execvpe", fail)
    done = invoke("exec", "--", "kubctl")

    assert done.code == 2
    assert "cannot run kubctl" in done.err


# -- logs -------------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def logged(world: World) -> World:
    run = world.run()
    for name in ("member1/etcd", "member1/kube-apiserver", "host/etcd"):
        run.log(name).parent.mkdir(parents=True, exist_ok=True)
        run.log(name).write_text("".join(f"{name} {number}\n" for number in range(30)))
    return world


def test_logs_of_one_program(logged: World) -> None:
    assert invoke("logs", "member1/etcd", "--tail", "2").out == "member1/etcd 28\nmember1/etcd 29\n"


def test_logs_of_a_cluster_name_the_program_of_each_line(logged: World) -> None:
    lines = invoke("logs", "member1", "-n", "1").out.splitlines()

    assert lines == ["member1/etcd           member1/etcd 29", "member1/kube-apiserver member1/kube-apiserver 29"]


def test_logs_of_everything(logged: World) -> None:
    assert len(invoke("logs", "--tail", "0").out.splitlines()) == 90


def test_logs_of_nothing_there_is(logged: World) -> None:
    done = invoke("logs", "member1/etc")

    assert done.code == 2
    assert "member1/etcd" in done.err


def test_following_reads_appended_lines_and_restarts_after_rotation(logged: World, capsys: pytest.CaptureFixture[str]) -> None:
    path = logged.root / "default/logs/host/etcd.log"
    with path.open() as stream:
        stream.seek(0, 2)
        assert not logs.print_appended("", stream)
        with path.open("a") as log:
            log.write("more\n")
        assert logs.print_appended("> ", stream)
        path.write_text("anew\n")
        assert logs.print_appended("", stream)

    assert capsys.readouterr().out == "> more\nanew\n"


# -- completion -------------------------------------------------------------------------------------------------------------------


def test_completion_reads_run_directories(world: World) -> None:
    run = world.run("blue")
    for name in ("member1+etcd", "host+etcd"):
        (run.folder("processes") / f"{name}.json").write_text("{}")
    ctx = type("Context", (), {"params": {"lab": "blue"}})()

    assert list(complete.complete_labs("b")) == ["blue"]
    assert list(complete.complete_components(ctx, "mem")) == ["member1/etcd"]
    assert list(complete.complete_clusters(ctx, "")) == ["host", "karmada", "member1"]
    assert list(complete.complete_members(ctx, "")) == ["member1", "member2"]
    assert list(complete.complete_log_targets(ctx, "")) == ["host", "member1"]


# -- gc ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("silent", ["", "docker: no engine answers"])
def test_gc_of_a_clean_computer(world: World, monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    monkeypatch.setattr("lab.computer.Computer.which", lambda _, program: f"/usr/bin/{program}")
    monkeypatch.setattr("lab.docker.find_docker_error", lambda _: silent)
    monkeypatch.setattr("lab.gc.sweep", lambda root, dry_run: [])
    done = invoke("gc", "-o", "json")

    assert done.code == 0
    assert (f"containers were not checked: {silent}" in done.err) is bool(silent)
    assert json.loads(done.out) == {
        "schema": 1,
        "dry_run": False,
        "removed": [],
        "unseen": {"containers": silent} if silent else {},
    }


def test_gc_of_one_lab_and_of_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run("dead")
    world.run("alive")
    removed: list[str] = []
    monkeypatch.setattr("lab.computer.Computer.which", lambda *_: None)
    monkeypatch.setattr("lab.gc.sweep", lambda root, dry_run: [])
    monkeypatch.setattr("lab.gc.is_alive", lambda run: run.name == "alive")
    monkeypatch.setattr("lab.gc.remove_run", lambda run, dry_run: removed.append(run.name) or [])  # type: ignore[func-returns-value]
    invoke("gc", "--lab", "dead")
    invoke("gc", "--all")

    assert removed == ["dead", "dead"]


def test_no_error_prints_itself() -> None:
    assert LabError("x").what == "x"


# -- join -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "wanted", "mode"), [("push", None, "push"), ("pull", None, "pull"), ("none", None, "push"), ("none", "pull", "pull")]
)
def test_a_member_is_joined_as_its_lab_file_says(said: str, wanted: str | None, mode: str) -> None:
    assert mode_of("member1", said, JoinMode(wanted) if wanted else None) is JoinMode(mode)


def test_another_way_than_the_lab_file_says_is_refused() -> None:
    with pytest.raises(UsageError, match="by push"):
        mode_of("member1", "push", JoinMode.pull)


# -- interrupts -------------------------------------------------------------------------------------------------------------------


@pytest.mark.spawns
@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_raises_once_and_the_second_one_ends_the_process_with_a_word(number: signal.Signals, code: int, held: bool) -> None:
    program = (
        "import os, signal, sys\nfrom lab import interrupt\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job of a shell is started to ignore it
        f"interrupt.HELD.update({ ({'blue': 10.0} if held else {})!r})\n"
        "interrupt.install()\n"
        f"try: os.kill(os.getpid(), {number:d})\n"
        "except interrupt.Interrupted as stop: print(stop.exit_code, flush=True)\n"
        f"os.kill(os.getpid(), {number:d})\nprint('never')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (code, f"{code}\n")
    assert number.name in done.stderr
    assert ("lab blue within 10 s" in done.stderr, "--lab blue" in done.stderr) == (held, held)


def test_a_terminal_that_hung_up_does_not_hide_the_exit_code() -> None:
    controller, terminal = os.openpty()
    aside = os.dup(terminal)
    assert os.isatty(aside)
    interrupt.mute_dead_streams([aside])  # it is still there: nothing is done
    assert os.isatty(aside)
    os.close(controller)
    with pytest.raises(OSError, match="error"):
        os.write(aside, b"x")
    interrupt.mute_dead_streams([aside])
    assert os.write(aside, b"x") == 1
    os.close(aside)
    os.close(terminal)


# -- join -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "lines"),
    [
        ([], ["joined a by push, b by pull after 1.0 s"]),
        (["a"], ["a is joined already by push: nothing changed", "joined b by pull after 1.0 s"]),
        (["a", "b"], ["a is joined already by push: nothing changed", "b is joined already by pull: nothing changed"]),
    ],
)
def test_join_says_which_members_were_joined_already(before: list[str], lines: list[str]) -> None:
    assert join.outcome({"a": "push", "b": "pull"}, before, 1.0) == lines
