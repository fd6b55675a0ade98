"""`lab gc`: what dead labs left."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

from lab import docker
from lab.cli.complete import complete_labs
from lab.cli.options import DryRunOption, Output, OutputOption, option
from lab.computer import Computer
from lab.count import count
from lab.gc import is_alive, is_run, remove_run, sweep
from lab.run import list_runs, runs_root
from lab.terminal.text import say

All = Annotated[bool, option("--all", help="Remove the directories of all dead labs too, with the logs and evidence in them.")]
DeadLab = Annotated[
    str, option("--lab", help="Remove what is left of this dead lab, its directory too.", metavar="NAME", autocompletion=complete_labs)
]


def gc(lab: DeadLab = "", all_: All = False, dry_run: DryRunOption = False, output: OutputOption = Output.text) -> None:
    """Remove what dead labs left on this computer.

    Processes, mounts, ports; a live lab is never touched.

    Directories of dead labs stay, with their logs, unless one is named by --lab, or --all is given.
    """
    root = runs_root()
    if lab:
        removed = remove_run(root / lab, dry_run=dry_run)
    else:
        removed = sweep(root, dry_run=dry_run)
        if all_:
            for run_id in list_runs(root):
                if is_run(root / run_id) and not is_alive(root / run_id):
                    removed += remove_run(root / run_id, dry_run=dry_run)
    silent = docker.find_docker_error(Computer()) if Computer().which("docker") else ""
    if silent:
        say(f"containers were not checked: {silent}")
    if output is Output.json:
        unseen = {"containers": silent} if silent else {}
        print(json.dumps({"schema": 1, "dry_run": dry_run, "removed": [asdict(each) for each in removed], "unseen": unseen}, indent=1))
        return
    for each in removed:
        print(each)
    verb = "would be removed" if dry_run else "removed"
    say(f"{count(len(removed), 'thing')} {verb}" if removed else "nothing was left behind")
