"""Karmada by commands: whatever installs it on the host cluster, a script, a playbook, an operator, is run as a user would run it.

    [karmada]
    deployer = "by_command"

    [karmada.by_command]
    install = ["./install.sh"]            # an argument list, no shell; run in `directory`
    remove = ["./remove.sh"]              # without one the namespace karmada-system is deleted
    directory = "installer"

The commands get, besides a PATH with kubectl and karmadactl of the lab's versions:

    KUBECONFIG           the host cluster's, with one context
    KARMADA_KUBECONFIG   where `install` writes the administrator's kubeconfig of karmada-apiserver, reachable from this computer
    KARMADA_VERSION      as v1.18.2
    KARMADA_DATA         a folder of the run, for what the installer keeps
    KARMADA_KUBERNETES   the version of karmada-apiserver, as v1.35.4
    KARMADA_CHARTS, KARMADA_ARTIFACTS      charts/ and artifacts/ of the release
    KARMADA_CRDS         crds.tar.gz of the release, as karmadactl init reads it

Images of the release are loaded into the host cluster before, under upstream's names. `install` is not run again when it has succeeded:
`lab up` on a lab that is up changes nothing. After an `install` that was cut short, `remove` is run first.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from deployers.deployer import ImageUse
from deployers.karmada import Karmada
from deployers.names import JOINABLE, NAMESPACE
from deployers.options import CARRIED, OPTIONS, complete
from deployers.pods import installation, workloads
from deployers.pods.crds_archive import crds_tarball
from deployers.pods.host import adopt_kubeconfig, remove_namespace
from deployers.pods.image_steps import image_steps
from deployers.pods.images import images_of, keep_path
from deployers.pods.images import software as of_images
from deployers.spec import KarmadaSpec
from lab.assets import AssetRef
from lab.errors import CommandFailed, LabError, ProvisionError
from lab.hints import command
from lab.run import write_private
from lab.spec import Capability, LabSpec
from lab.steps import Step
from lab.wait import NotYet

UP_TO_THE_COMMAND = "by_command runs a command, which decides it; write it into what the command reads"
TABLE = ("by_command.install", "by_command.remove", "by_command.directory", "by_command.within")
SUPPORT = complete(
    {**dict.fromkeys(OPTIONS, UP_TO_THE_COMMAND), "members.push": CARRIED, "members.pull": CARRIED, **dict.fromkeys(TABLE, CARRIED)}
)
TREES = {"KARMADA_CHARTS": "karmada-charts", "KARMADA_ARTIFACTS": "karmada-manifests"}
"""The directories of the release that commands find by a variable."""


@dataclass(frozen=True)
class ByCommand:
    """An installer of the user's."""

    needs: frozenset[Capability] = frozenset({Capability.PODS})
    options: Mapping[str, str] = field(default_factory=lambda: SUPPORT)

    def software(self, spec: KarmadaSpec) -> list[str]:
        """Return the assets: programs in images, clients, and directories of the release."""
        names = ("karmadactl", "karmada-crds", *TREES.values())
        clients = [str(AssetRef.parse(f"kubectl@{spec.kubernetes}"))]
        return [*of_images(spec), *clients, *(str(AssetRef.parse(f"{name}@{spec.release}")) for name in names)]

    def images(self, spec: KarmadaSpec, *, version: str, host: str = "host") -> tuple[ImageUse, ...]:
        """Return the images of a control plane under upstream's names."""
        return images_of(spec, keep_path, version=version, host=host)

    def check(self, spec: KarmadaSpec, lab: LabSpec) -> list[str]:
        """Return what is missing: a command, its program, its directory. Nothing is created."""
        found = installation.preflight_errors(spec, lab, SUPPORT, on_nodes=False)
        table = spec.by_command
        if not table.install:
            return [*found, 'by_command.install: no command is given; it is an argument list, as ["./install.sh"]']
        if table.directory is None or not table.directory.is_dir():
            return [*found, f"by_command.directory: there is no directory {table.directory or 'given'}"]
        for key, argv in (("install", table.install), ("remove", table.remove)):
            if argv and find_program(argv[0], table.directory) is None:
                found.append(f"by_command.{key}: {argv[0]} is no program: neither an executable file in {table.directory} nor on PATH")
        return found

    def install(self, karmada: Karmada, software: Mapping[str, Path]) -> list[Step]:
        """Return the steps of the control plane."""
        return CommandInstallation(karmada, software).steps()

    def remove(self, karmada: Karmada) -> None:
        """Run the command that removes, else delete the namespace, and check that nothing is left on the host cluster."""
        if not installation.state(karmada):
            return
        karmada.run.journal("remove", what=karmada.name)
        CommandInstallation(karmada, {}).clear()
        installation.wait_removed(karmada)
        installation.forget(karmada)


@dataclass(frozen=True)
class CommandInstallation(installation.PodsInstallation):
    """One control plane that the user's command installs."""

    def steps(self) -> list[Step]:
        host = f"{self.karmada.lab.host.name}/images"
        uses = ByCommand().images(self.spec, version=self.karmada.release.version, host=self.karmada.lab.host.name)
        return [
            *image_steps(self.karmada, uses, self.software),
            Step("karmada/install", self.progress.watched(self.install), (host,)),
            Step(JOINABLE, lambda: installation.wait_joinable(self.karmada, self.progress, self.adopt), ("karmada/install",)),
            *installation.last_steps(self.karmada, [], ["karmada/install"]),
        ]

    @cached_property
    def data(self) -> Path:
        """The folder of the run that is the installer's own."""
        return self.karmada.run.folder("data", "karmada", "installer")

    @property
    def written(self) -> Path:
        """Where the command writes the administrator's kubeconfig."""
        return self.data / "karmada.kubeconfig"

    def install(self) -> None:
        """Run the command unless it succeeded before in this run; what one left that was cut short is removed first."""
        installation.begin(self.karmada)
        self.progress.begun.set()
        if installation.state(self.karmada) == "installed":
            return
        if workloads.workloads(self.host):
            self.clear()
        self.run("install", self.spec.by_command.install)
        if not self.written.is_file():
            raise ProvisionError(
                "the installation failed: its command wrote no kubeconfig",
                where=str(self.written),
                remedy="write the administrator's kubeconfig of karmada-apiserver to $KARMADA_KUBECONFIG",
            )
        self.adopt()
        installation.finish(self.karmada)

    def adopt(self) -> None:
        """Write the run's kubeconfig from the command's; NotYet when there is none."""
        try:
            adopt_kubeconfig(self.written.read_bytes(), self.karmada.kubeconfig, source=str(self.written))
        except OSError as error:
            raise NotYet(f"{self.written.name} is not there yet") from error

    def clear(self) -> None:
        """Run the command that removes; without one delete Karmada's namespace. The kubeconfig of before is deleted."""
        if self.spec.by_command.remove:
            self.run("remove", self.spec.by_command.remove)
        else:
            remove_namespace(self.host)
        self.host.until_gone(f"/api/v1/namespaces/{NAMESPACE}", what="the namespace of Karmada is deleted", within=120.0)
        self.written.unlink(missing_ok=True)
        self.karmada.kubeconfig.unlink(missing_ok=True)

    def run(self, verb: str, argv: tuple[str, ...]) -> None:
        """Run one of the commands in its directory; its output goes to the logs of the run. ProvisionError has the end of it."""
        table = self.spec.by_command
        directory = table.directory or self.data
        line = ["env", f"--chdir={directory}", find_program(argv[0], directory) or argv[0], *argv[1:]]
        try:
            ran = self.karmada.machine.run(line, env=self.environment(), within=table.within)
        except CommandFailed as failed:
            self.log(verb, failed.output)
            raise self.explain(verb, failed) from failed
        self.log(verb, ran.stdout + ran.stderr)

    def environment(self) -> dict[str, str]:
        """Return the variables of the commands."""
        release, folder = self.karmada.release, self.link_clients()
        trees = {name: str(release.binary(asset)) for name, asset in TREES.items()}
        crds = self.data / "crds.tar.gz"
        write_private(crds, crds_tarball(release.crds))
        return {
            **trees,
            "PATH": f"{folder}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.data),
            "KARMADA_CRDS": str(crds),
            "KARMADA_KUBERNETES": f"v{self.spec.kubernetes}",
            "KUBECONFIG": str(self.karmada.lab.host.kubeconfig),
            "KARMADA_KUBECONFIG": str(self.written),
            "KARMADA_VERSION": f"v{release.version}",
            "KARMADA_DATA": str(self.data),
        }

    def link_clients(self) -> Path:
        """Return a folder with kubectl and karmadactl of the lab's versions."""
        folder = self.karmada.run.folder("data", "karmada", "clients")
        found = self.karmada.supply.resolve([AssetRef("kubectl", self.spec.kubernetes), self.karmada.release.ref("karmadactl")])
        for ref, path in found.items():
            link = folder / ref.name
            link.unlink(missing_ok=True)
            link.symlink_to(path)
        return folder

    def log(self, verb: str, output: str) -> None:
        """Save the output of a command in the logs of the run."""
        path = self.karmada.run.log(f"karmada/{verb}-command")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(output)

    def explain(self, verb: str, failed: CommandFailed) -> LabError:
        """Return the error of a command that failed: the end of its output, and why pods are not ready if some are not."""
        log = self.karmada.run.log(f"karmada/{verb}-command")
        return ProvisionError(
            f"the command that is to {verb} Karmada failed",
            where=failed.command,
            detail="\n".join([*workloads.why(self.host), *failed.output.splitlines()[-30:]]),
            remedy=f"correct it, then {command('up', lab=self.karmada.run.id)}; its whole output is in {log}",
        )


def find_program(name: str, directory: Path) -> str | None:
    """Return the path of a command's program: below its directory when it has a slash, else on PATH. None when it is no program."""
    if "/" in name:
        path = str((directory / name).absolute())
        return shutil.which(path)
    return shutil.which(name)
