"""Machines that are containers of this computer's Docker, with systemd: made, and deleted from records alone.

Their names derive from the run (`lab.external_names.external_name`); each is recorded before it is made. /var is a volume of its own, since
containerd makes overlays there and the kernel makes none on an overlay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from lab.assets.cache import default_root
from lab.computer import Probe
from lab.docker import list_containers
from lab.docker.checks import list_engine_errors
from lab.docker.remove import remove_containers
from lab.docker_engine import record_engine
from lab.errors import CommandFailed, ProvisionError
from lab.external_names import external_name
from lab.limits.finding import Needs
from lab.machines.container import Container
from lab.machines.local import Local
from lab.machines.machine import Machine
from lab.machines.record import CACHE_FOLDER, ROOT_FOLDER, MachineRecord, forget_machine, read_machines, record_machine
from lab.preflight import Problem, computer_problem
from lab.run import Run, runs_root
from lab.steps import Step
from lab.wait import NotYet, until

KIND = "container"
LOGS = "/var/log/karmada-lab"
"""Where a machine sees the folder of its logs in the run directory; by this mount `lab gc` finds the run of a container."""
CACHE = f"{ROOT_FOLDER}/{CACHE_FOLDER}/assets"
"""Where a machine sees this computer's cache of programs, as if earlier labs had brought them: by docker cp they take minutes."""
ISOLATION = (
    *("--privileged", "--cgroupns", "private", "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined"),
    *("--tmpfs", "/tmp:exec", "--tmpfs", "/run", "--volume", "/var", "--volume", "/lib/modules:/lib/modules:ro"),  # noqa: S108
)
"""As kind runs its nodes."""


def container_problems(probe: Probe) -> list[Problem]:
    """Return what keeps this computer from making machines that are containers: they take of Docker what kind's nodes take."""
    errors = list_engine_errors(probe, Needs(cache=default_root(), runs=runs_root()))
    return [computer_problem(f"machines: {error}") for error in errors]


def machine_steps(run: Run, names: Sequence[str], *, image: Callable[[], str], needs: tuple[str, ...] = ()) -> list[Step]:
    """Return one step for each machine, called `machines/<name>`. `image` returns the image's name once `needs` have passed."""
    record_engine(run.path)
    return [Step(f"machines/{name}", partial(make_machine, run, name, image), needs) for name in names]


def make_machine(run: Run, name: str, image: Callable[[], str]) -> None:
    """Make a machine, unless it runs; one that is stopped is started. Return when its systemd has started.

    ProvisionError with the end of its output when systemd does not come up.
    """
    engine, container = Local(run.path), external_name(run.id, name)
    known = read_machines(run).get(name)
    record = record_machine(run, name, known or MachineRecord(kind=KIND, systemd=True))
    logs = run.folder("logs", name)
    if container in list_containers(engine, container):
        engine.run(["docker", "start", container], within=60.0)  # a no-op where it runs
    else:
        volumes = ["--volume", f"{logs}:{LOGS}", "--volume", f"{default_root() / 'assets'}:{CACHE}:ro"]
        options = ["--detach", "--name", container, "--hostname", name, *volumes, *ISOLATION]
        engine.run(["docker", "run", *options, image()], within=120.0)
    machine = Container(container, engine, run.id)
    until(partial(check_systemd, machine), what=f"systemd of {name} has started", within=60.0, remedy=f"docker logs {container}")
    record_machine(run, name, replace(record, address=read_address(engine, container)))


def check_systemd(machine: Machine) -> None:
    """Return when the systemd of a machine has started all its units, whether or not one of them failed."""
    try:
        machine.run(["systemctl", "is-system-running"])
    except CommandFailed as failed:
        if "degraded" not in failed.output:
            raise NotYet(failed.output.strip() or "no answer") from failed


def read_address(engine: Machine, container: str) -> str:
    """Return the address by which this computer and other containers reach a container. ProvisionError when it has none."""
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    addresses = engine.run(["docker", "inspect", "--type", "container", "--format", form, container]).stdout.split()
    if not addresses:
        raise ProvisionError(f"making machine {container} failed: it has no address", remedy=f"docker logs {container}")
    return addresses[0]


def delete_machines(run: Run) -> None:
    """Delete the machines of this kind with their volumes, from the records alone; twice is fine.

    ProvisionError when there are some and Docker does not answer.
    """
    names = {name: external_name(run.id, name) for name, record in read_machines(run).items() if record.kind == KIND}
    if not names:
        return
    engine, made = Local(run.path), set(names.values())
    remove_containers(
        run, engine, lambda: sorted(made & set(list_containers(engine, external_name(run.id, "")))), recorded=made, what="machines"
    )
    for name in names:
        forget_machine(run, name)
