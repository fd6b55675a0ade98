"""The verbs of the command line.

    lab up            a lab, with Karmada on it; what is there already is left alone
    lab status        what runs; exit code 0 when all is well
    lab down          all of it gone

Exit codes: 0 ok, 1 a check failed, 2 usage, 3 not possible here, 4 provisioning failed, 7 something was left behind,
130/143 interrupted; 70 is a bug of this program.
"""

from __future__ import annotations

from collections.abc import Callable

import typer

from deployers.commands import (
    addon,
    assets,
    backup,
    bundle,
    conformance,
    doctor,
    etcd,
    images,
    join,
    renew,
    restore,
    unjoin,
    up,
    upgrade,
    verify,
)
from lab.cli.errors import Verbs
from lab.commands import down, env, execute, gc, kubeconfig, logs, restart, status, stop

app = typer.Typer(
    name="lab",
    cls=Verbs,
    help="Kubernetes clusters with Karmada on them, from nothing and back.",
    epilog="A lab is a directory under _runs ($KARMADA_LAB_RUNS). Exit codes: 0 ok, 1 check failed, 2 usage, 3 not possible here, "
    "4 provisioning failed, 7 something left behind, 130/143 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: the same text everywhere, and no import of rich
    context_settings={"help_option_names": ["-h", "--help"]},
)
VERBS: dict[str, Callable[..., None]] = {
    "up": up.up,
    "down": down.down,
    "status": status.status,
    "kubeconfig": kubeconfig.kubeconfig,
    "env": env.env,
    "exec": execute.execute,
    "logs": logs.logs,
    "restart": restart.restart,
    "stop": stop.stop,
    "join": join.join,
    "unjoin": unjoin.unjoin,
    "backup": backup.backup,
    "verify": verify.verify,
    "restore": restore.restore,
    "upgrade": upgrade.upgrade,
    "renew": renew.renew,
    "conformance": conformance.conformance,
    "doctor": doctor.doctor,
    "gc": gc.gc,
    "bundle": bundle.bundle,
}
for name, verb in VERBS.items():
    app.command(name)(verb)
app.add_typer(assets.app, name="assets")
app.add_typer(images.app, name="images")
app.add_typer(etcd.app, name="etcd")
app.add_typer(addon.app, name="addon")
