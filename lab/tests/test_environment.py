"""Every program that this project starts inherits what `lab.environment` says, and nothing else."""

from __future__ import annotations

import ast
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import environment
from lab.assets.command import spawn
from lab.docker_engine import record_engine
from lab.environment import (
    COMMAND,
    ENGINE,
    PROGRAMS,
    PROXIES,
    extend_no_proxy,
    inherit,
    inherit_component,
    program_name,
    read_go_settings,
)
from lab.machines.local import Local
from lab.run import Run

ROOT = Path(__file__).parents[2]
HARMFUL = {
    **dict.fromkeys(PROXIES, "http://127.0.0.1:9"),
    **dict.fromkeys(("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "KUBERNETES_MASTER"), "nowhere"),
    **dict.fromkeys(("KUBECTL_EXTERNAL_DIFF", "KUBECACHEDIR", "HELM_KUBECONTEXT", "HELM_NAMESPACE", "HELM_DRIVER"), "other"),
    **dict.fromkeys(("KIND_EXPERIMENTAL_PROVIDER", "KIND_EXPERIMENTAL_DOCKER_NETWORK"), "podman"),
    **dict.fromkeys(("GOFLAGS", "GOOS", "GOARCH", "GOAMD64", "GOEXPERIMENT", "GODEBUG", "GOROOT", "GOENV", "GOWORK", "GO111MODULE"), "odd"),
    **dict.fromkeys(("CGO_ENABLED", "CGO_CFLAGS", "CC", "GOTOOLCHAIN", "GOFIPS140", "GOGC", "GOMEMLIMIT", "GOMAXPROCS"), "1"),
    **dict.fromkeys(("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONWARNINGS", "PYTHONOPTIMIZE", "VIRTUAL_ENV"), "/odd"),
    **dict.fromkeys(("PIP_TARGET", "PIP_USER", "PIP_PREFIX", "PIP_NO_BINARY", "PIP_REQUIRE_VIRTUALENV"), "1"),
    **dict.fromkeys(("NODE_OPTIONS", "NODE_ENV", "npm_config_omit", "npm_config_ignore_scripts", "NPM_CONFIG_PREFIX"), "production"),
    **dict.fromkeys(("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_CONFIG_COUNT", "GIT_EXTERNAL_DIFF"), "/odd"),
    **dict.fromkeys(("LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "BASH_ENV", "ENV", "CDPATH", "IFS", "GREP_OPTIONS"), "/odd"),
    **dict.fromkeys(("ANSIBLE_CONFIG", "SHELLCHECK_OPTS", "YAMLLINT_CONFIG_FILE", "SSH_ASKPASS", "LIBVIRT_DEFAULT_URI"), "/odd"),
    **dict.fromkeys(("ETCD_NAME", "ETCD_DATA_DIR", "ETCDCTL_ENDPOINTS", "MALLOC_ARENA_MAX", "DOCKER_DEFAULT_PLATFORM"), "odd"),
    **dict.fromkeys(("LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES"), "de_DE.UTF-8"),
    **dict.fromkeys(("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CONTENT_TRUST"), "tcp://odd:1"),
}
CALLER = {**HARMFUL, "PATH": "/bin", "HOME": "/nowhere", "TZ": "UTC"}
FOR_FETCHING = set(environment.NETWORK)
MAY_HAVE = {
    "docker": set(ENGINE),
    "kind": set(ENGINE),
    "go": FOR_FETCHING | {"GOGC", "GOMEMLIMIT", "GOMAXPROCS"},
    "pip": FOR_FETCHING | {"LD_LIBRARY_PATH"},
    "npm": FOR_FETCHING,
    "mmdebstrap": FOR_FETCHING,
    "python": {"LD_LIBRARY_PATH"},
}
"""What of HARMFUL a program is to have nevertheless, since it is what the user means for it."""
STARTS = {
    "Popen",
    "run",
    "call",
    "check_call",
    "check_output",
    "execv",
    "execve",
    "execvp",
    "execvpe",
    "posix_spawn",
    "posix_spawnp",
    "system",
}
OWN_WAY = {
    ("lab/factories/namespace/init.py", "run"): "runs as a program of the supervisor, with its environment; imports nothing of the project",
    ("lab/factories/namespace/init.py", "execv"): "becomes the machine's sshd, as a program of the supervisor",
    ("lab/machines/hide_directory.py", "execv"): "becomes the command, with the environment that lab.machines.local gave",
    ("lab/supervisor/process.py", "execvpe"): "starts components with the supervisor's own environment, which is COMPONENT's",
    ("deployers/commands/execute.py", "execvpe"): "`lab exec`: the user's own command",
    ("scenarios/test_runner_kit.py", "Popen"): "a script of the runner kit in the environment that its pod would give",
    ("scenarios/test_machine_faults.py", "Popen"): "a harness to be killed, in the test's own environment",
    ("scenarios/test_machine_kills.py", "Popen"): "a harness to be killed, in the test's own environment",
    ("scenarios/test_virtual_machines.py", "Popen"): "a harness to be killed, in the test's own environment",
    ("scenarios/test_virtual_machines.py", "run"): "libvirt's client, as a user shuts a machine off",
    ("scenarios/test_lifecycle.py", "run"): "`lab` as a user types it, its own variables aside",
    ("scenarios/test_lifecycle.py", "Popen"): "`lab` as a user types it, its own variables aside",
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in ("lab", "deployers", "perf", "reports", "scenarios"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "tests" not in path.relative_to(ROOT).parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path, tree in sources():
        yield from ((path, node) for node in ast.walk(tree) if isinstance(node, ast.Call))


def test_every_place_that_starts_a_program_asks_the_table() -> None:
    seen, wrong = set(), []
    for path, call in calls():
        match call.func:
            case ast.Attribute(value=ast.Name(id="subprocess" | "os"), attr=name) if name in STARTS:
                if (path, name) in OWN_WAY:
                    seen.add((path, name))
                    continue
                given_env = next((keyword.value for keyword in call.keywords if keyword.arg == "env"), None)
                text = ast.unparse(given_env) if given_env is not None else ""
                if text == "env":  # a variable, made before
                    text = next(made for made in reversed(Path(ROOT, path).read_text().splitlines()[: call.lineno]) if " env = " in made)
                if "inherit" not in text:
                    wrong.append(f"{path}:{call.lineno}")

    assert wrong == []
    assert seen == OWN_WAY.keys()


def test_no_other_way_to_start_a_program_is_used() -> None:
    found = {
        f"{path}: {name.name}"
        for path, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
        if (isinstance(node, ast.ImportFrom) and node.module in {"subprocess", "os"} and name.name in STARTS)
        or name.name in {"asyncio.subprocess", "pty", "multiprocessing"}
    }

    assert found == set()


ELSEWHERE = {"ctr", "pgrep", "pkill", "mkdir", "tee", "find", "journalctl", "rm", "cat", "systemctl"} | {
    *("stat", "ls", "cut", "chmod", "chown", "id", "tail", "useradd", "chpasswd", "touch", "true", "sleep", "test", "python3", "mv", "cp"),
    *(
        "df",
        "dd",
        "head",
        "uname",
        "getent",
        "hostname",
        "readlink",
        "ss",
        "kill",
        "sha256sum",
        "cmp",
        "wc",
        "printf",
        "echo",
        "pwd",
        "date",
        "tc",
        "nft",
        "ping",
    ),
}
"""Programs of kind nodes and of machines: `docker exec` and ssh give them the environment of that computer."""


def test_every_program_that_is_named_in_the_code_has_a_rule() -> None:
    named = set()
    for _, call in calls():
        function = call.func.attr if isinstance(call.func, ast.Attribute) else call.func.id if isinstance(call.func, ast.Name) else ""
        if function not in {"run", "ask", "spawn", "remove_by_command", "Popen"}:
            continue
        for args in (word for word in call.args if isinstance(word, ast.List | ast.Tuple) and len(word.elts) > 1):
            first = args.elts[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                named.add(Path(first.value).name)

    assert {"docker", "go", "git", "iptables", "umount"} <= named
    assert named - ELSEWHERE - {"ps", "inspect"} <= PROGRAMS.keys()  # those two are words of docker's


@pytest.mark.parametrize(
    "program", [*sorted(PROGRAMS.keys() - {"lab", "karmada_lab", "pytest", "deployers", "scenarios", "perf", "reports"}), "unheard-of"]
)
def test_nothing_harmful_of_the_caller_reaches_a_program(program: str) -> None:
    env = inherit([f"/some/where/{program}", "word"], caller=CALLER)
    rule = PROGRAMS.get(program, COMMAND)

    assert {name for name in HARMFUL if env.get(name) == HARMFUL[name]} <= MAY_HAVE.get(program, set())
    assert env.items() >= rule.sets.items()
    assert env["PATH"] == "/bin"


def test_a_component_inherits_a_path_and_a_home_only() -> None:
    assert inherit_component(CALLER) == {"PATH": "/bin", "HOME": "/nowhere", "TZ": "UTC", "LANG": "C.UTF-8"}


def test_a_client_of_kubernetes_has_no_proxy_and_no_kubeconfig_but_that_of_its_arguments() -> None:
    for program in ("kubectl", "karmadactl", "helm", "kind", "kubeadm"):
        env = inherit([program, "get"], caller=CALLER)
        assert not set(PROXIES) & env.keys()
        assert env["KUBECONFIG"] == os.devnull


def test_kind_makes_containers_of_docker() -> None:
    assert inherit(["kind"], caller=CALLER)["KIND_EXPERIMENTAL_PROVIDER"] == "docker"
    assert "KIND_EXPERIMENTAL_DOCKER_NETWORK" not in inherit(["kind"], caller=CALLER)


@pytest.mark.parametrize(
    "variable",
    [
        *("GOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOCACHE", "GOMODCACHE", "GOPATH", "HTTPS_PROXY", "no_proxy"),
        "NETRC",
    ],
)
def test_go_fetches_as_its_user_wants(variable: str) -> None:
    assert inherit(["go"], caller={variable: "x"})[variable] == "x"


@pytest.mark.parametrize("variable", ["GOFLAGS", "GOOS", "GOARCH", "GOAMD64", "GOEXPERIMENT", "CGO_CFLAGS", "GODEBUG", "GOROOT"])
def test_nothing_changes_what_go_builds(variable: str, tmp_path: Path) -> None:
    (tmp_path / "env").write_text(f"{variable}=odd\nGOPROXY=https://proxy.test\n# GOSUMDB=off\n")
    env = inherit(["/usr/lib/go-1.26/bin/go"], caller={variable: "odd", "GOENV": str(tmp_path / "env")})

    assert variable not in env
    assert env["GOENV"] == "off"  # so that Go itself does not read the file
    assert env["GOPROXY"] == "https://proxy.test"
    assert "GOSUMDB" not in env


def test_what_the_environment_says_to_go_counts_before_its_file(tmp_path: Path) -> None:
    (tmp_path / "go").mkdir()
    (tmp_path / "go" / "env").write_text("GOPROXY=https://file.test\nGOCACHE=/cache\n")
    caller = {"XDG_CONFIG_HOME": str(tmp_path), "GOPROXY": "https://word.test", "GOCACHE": ""}

    assert inherit(["go"], caller=caller)["GOPROXY"] == "https://word.test"
    assert inherit(["go"], caller=caller)["GOCACHE"] == "/cache"  # one that is empty counts as not set, as in Go
    assert read_go_settings({**caller, "GOENV": "off"}) == {}
    assert read_go_settings({"HOME": str(tmp_path / "nowhere")}) == {}


def test_a_command_line_is_known_by_what_it_runs() -> None:
    assert program_name([sys.executable, "-m", "pip", "install"]) == "pip"
    assert program_name(["python3.13", "-I", "/x/shelter.py", "/etc", "/tmp", "--", "/y/karmadactl", "join"]) == "karmadactl"
    assert program_name(["/usr/bin/setpriv", "--pdeathsig", "KILL", "--", "go", "build"]) == "go"
    assert program_name(["/root/go/bin/go1.26.8", "build"]) == "go"
    assert program_name([sys.executable, "-m", "lab", "exec", "--", "kubectl"]) == "lab"
    assert program_name(["python3", "script.py"]) == "python"


# -- NO_PROXY -------------------------------------------------------------------------------------------------------------------------


def test_the_hosts_of_a_lab_are_added_to_what_is_reached_directly() -> None:
    got = extend_no_proxy(["127.0.0.1", "172.18.0.2"], {"no_proxy": "corp.test, 10.0.0.0/8", "NO_PROXY": "corp.test"})

    assert got["NO_PROXY"] == got["no_proxy"] == "corp.test,10.0.0.0/8,127.0.0.1,172.18.0.2"
    assert extend_no_proxy(["127.0.0.1"], got) == {**got, **extend_no_proxy([], got)}  # a second `eval "$(lab env)"` adds nothing
    assert extend_no_proxy(["127.0.0.1"], {"NO_PROXY": "*"})["no_proxy"] == "*"


@given(st.lists(st.from_regex(r"[a-z0-9.:*/]{1,12}", fullmatch=True)), st.lists(st.from_regex(r"[a-z0-9.:]{1,12}", fullmatch=True)))
def test_no_entry_of_no_proxy_is_lost(before: list[str], hosts: list[str]) -> None:
    value = extend_no_proxy(hosts, {"NO_PROXY": ",".join(before)})["NO_PROXY"]

    assert value == "*" or set(value.split(",")) - {""} == {*before, *hosts}


# -- real processes ------------------------------------------------------------------------------------------------------------------


@pytest.mark.spawns
def test_commands_of_a_run_have_the_environment_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in HARMFUL.items():
        monkeypatch.setenv(name, value)
    run = Run.create("a", {}, root=tmp_path)
    fake = tmp_path / "docker"
    fake.write_text("#!/bin/sh\nexec env\n")
    fake.chmod(0o755)
    record_engine(run.path, {"DOCKER_HOST": "unix:///one.sock", "HOME": str(tmp_path)})

    plain = dict(line.split("=", 1) for line in Local(run.path).run(["env"]).stdout.splitlines())
    docker = dict(line.split("=", 1) for line in Local(run.path).run([str(fake)]).stdout.splitlines())

    assert {name for name in HARMFUL if plain.get(name) == HARMFUL[name]} == set()
    assert docker["DOCKER_HOST"] == "unix:///one.sock"
    assert "DOCKER_CONTEXT" not in docker
    assert plain["LC_ALL"] == "C.UTF-8"


@pytest.mark.spawns
@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go")
def test_go_itself_sees_nothing_that_changes_a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOFLAGS", "GOOS", "GOARCH", "GOEXPERIMENT", "GODEBUG", "GOWORK", "GOTOOLCHAIN", "GOROOT"):
        monkeypatch.setenv(name, "odd")
    monkeypatch.setenv("GOENV", str(tmp_path / "env"))
    (tmp_path / "env").write_text("GOFLAGS=-tags=odd\nGOAMD64=v3\nCGO_ENABLED=1\nGOPROXY=https://proxy.test\nGOCACHE=/odd/cache\n")
    names = ("GOFLAGS", "GOOS", "GOAMD64", "CGO_ENABLED", "GOEXPERIMENT", "GOPROXY", "GOCACHE", "GOWORK")

    ran = spawn(["go", "env", *names], cwd=tmp_path, env={})

    goamd64 = "v1" if platform.machine() == "x86_64" else ""
    assert ran.stdout.splitlines() == ["", "linux", goamd64, "0", "", "https://proxy.test", "/odd/cache", "off"], ran.stderr


@pytest.mark.spawns
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o277, 0o777])
def test_a_run_directory_is_its_owners_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    program = (
        "import os, sys; os.umask(int(sys.argv[2])); from pathlib import Path; from lab.run import Run, write_private\n"
        "from lab.machines.local import Local\n"
        "run = Run.create('a', {}, root=Path(sys.argv[1])); run.record('k', 'n', {}); run.folder('logs', 'member1'); run.journal('x')\n"
        "write_private(run.kubeconfig('host'), b'x'); write_private(run.folder('pki', 'host') / 'ca.key', b'x')\n"
        "Local(run.path).run(['sh', '-c', f'echo x > {run.path}/logs/member1/made'])\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path), str(umask)], check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})

    def mode(*parts: str) -> int:
        return tmp_path.joinpath("a", *parts).stat().st_mode & 0o777

    assert mode() == mode("pki") == mode("pki", "host") == mode("kubeconfig") == 0o700
    assert mode("pki", "host", "ca.key") == mode("kubeconfig", "host.yaml") == 0o600
    assert mode("run.json") == mode("records", "k", "n.json") == mode("logs", "member1", "made") == 0o644
    assert mode("logs", "member1") == 0o755
