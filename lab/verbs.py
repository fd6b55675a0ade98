"""The verbs of `lab`: where each one is, and under which heading its help stands.

This table is the composition root: it names packages above `lab` as text, and nothing imports it but the door `lab.__main__`.
"""

from __future__ import annotations

from lab.cli.app import Section, Verb, make_app

SECTIONS = (
    Section(
        "Labs",
        (
            Verb("up", "deployers.commands.up:up", "Bring up a lab: clusters, Karmada, members joined."),
            Verb("list", "lab.commands.list:list_labs", "List labs: what each is made of, and whether it runs."),
            Verb("status", "lab.commands.status:status", "Show what runs of a lab, and what does not."),
            Verb("diagnose", "lab.commands.diagnose:diagnose", "Say what is wrong with a lab, first causes first."),
            Verb("down", "lab.commands.down:down", "Take a lab down: its processes, ports and directory. Taking down nothing is fine."),
            Verb("exec", "deployers.commands.execute:execute", "Run a command in the environment of a lab."),
            Verb("env", "deployers.commands.env:env", 'Print exports for a shell: eval "$(lab env)".'),
            Verb("kubeconfig", "lab.commands.kubeconfig:kubeconfig", "Print the path of a lab's kubeconfig."),
            Verb("logs", "lab.commands.logs:logs", "Print the logs of a lab's programs."),
            Verb("export", "lab.commands.export:app", "Write logs and objects of a lab into a directory."),
            Verb("restart", "lab.commands.restart:restart", "Restart one program, as member1/etcd."),
            Verb("stop", "lab.commands.stop:stop", "Stop a cluster, Karmada, or one program."),
            Verb("snapshot", "deployers.commands.snapshot:app", "Save, restore, list and delete snapshots of whole labs."),
            Verb("fork", "deployers.commands.fork:fork", "Make a new lab with the content of another lab."),
            Verb("machine", "lab.commands.machine:app", "List machines of a lab; snapshot and revert virtual ones."),
            Verb("gc", "lab.commands.gc:gc", "Remove what dead labs left on this computer."),
            Verb("doctor", "deployers.commands.doctor:doctor", "Check whether this computer can run a lab."),
            Verb("schema", "deployers.commands.schema:schema", "Print the JSON Schema of lab files."),
            Verb("version", "lab.commands.version:version", "Print the version, and where it is installed."),
        ),
    ),
    Section(
        "Karmada",
        (
            Verb("join", "deployers.commands.join:join", "Join members to the lab's Karmada."),
            Verb("unjoin", "deployers.commands.unjoin:unjoin", "Remove members from the lab's Karmada."),
            Verb("addon", "deployers.commands.addon:app", "Manage addons: Karmada's own and third-party ones."),
            Verb("conformance", "deployers.commands.conformance:conformance", "Check that Karmada works."),
            Verb("backup", "deployers.commands.backup:app", "Back up Karmada; list and show its backups."),
            Verb("verify", "deployers.commands.verify:verify", "Verify a backup without restoring it."),
            Verb("restore", "deployers.commands.restore:restore", "Restore Karmada from a backup."),
            Verb("upgrade", "deployers.commands.upgrade:upgrade", "Upgrade Karmada while it serves."),
            Verb("renew", "deployers.commands.renew:renew", "Renew all certificates of Karmada before they expire."),
            Verb("operator", "deployers.commands.operator:app", "Run Karmadas that objects of a cluster describe."),
            Verb("replace", "deployers.commands.replace:replace", "Replace a lost machine that Karmada runs on."),
            Verb("etcd", "deployers.commands.etcd:app", "Manage Karmada's etcd."),
            Verb(
                "compare",
                "deployers.commands.compare:compare",
                "Print what differs between installations of Karmada.",
            ),
            Verb(
                "options",
                "deployers.commands.options:options",
                "Print which deployer supports which option of a spec.",
            ),
        ),
    ),
    Section(
        "Software",
        (
            Verb("assets", "deployers.commands.assets:app", "Manage cached binaries."),
            Verb("images", "deployers.commands.images:app", "Manage container images."),
            Verb("bundle", "deployers.commands.bundle:bundle", "Write one archive with all that a lab needs."),
        ),
    ),
    Section(
        "Tests and measurements",
        (
            Verb("test", "scenarios.commands.test:app", "Run the scenarios by pytest, or the given test files."),
            Verb(
                "upstream",
                "scenarios.commands.upstream:upstream",
                "Run Karmada's own end-to-end suite on a lab.",
            ),
            Verb("matrix", "scenarios.commands.matrix:matrix", "List the cells to run, and why the others are left out."),
            Verb("cell", "scenarios.commands.cell:cell", "Run one cell, from nothing to collected results."),
            Verb(
                "rehearse",
                "scenarios.commands.rehearse:rehearse",
                "Execute a workflow on this computer.",
            ),
            Verb("durations", "scenarios.commands.durations:durations", "Learn from results how long cells take."),
            Verb(
                "lint",
                "scenarios.commands.lint:lint",
                "Check the files of a repository, or our workflows.",
            ),
            Verb("docs", "scenarios.commands.docs:app", "Write the pages of docs/ that are made from the code."),
            Verb("report", "reports.commands.app:app", "Collect results of cells, judge them, and write them for people and programs."),
            Verb("bench", "perf.commands.app:app", "Measure what a lab costs, or how fast Karmada fails over."),
        ),
    ),
)
app = make_app(SECTIONS)
