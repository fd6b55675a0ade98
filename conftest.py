"""The composition root of the tests: pytest's plugins that give a test its lab.

    scenarios.kit.signals     SIGTERM and SIGHUP end a session in order
    scenarios.kit.golden      --update-golden and the fixture that compares with golden files
    scenarios.kit.options     settings of the lab, as options of pytest
    scenarios.kit.selection   which tests run here
    scenarios.kit.fixtures    lab, control_plane, karmada, namespace, workload
    scenarios.kit.reporting   evidence, masked secrets, the end of the lab, the exit code

A test that requests a fixture of the lab gets a lab; a session without such a test brings none up.
"""

pytest_plugins = [
    "scenarios.kit.signals",  # in this order: pytest rewrites the assertions of a plugin only if no earlier one has imported it
    "scenarios.kit.golden",
    "scenarios.kit.options",
    "scenarios.kit.selection",
    "scenarios.kit.fixtures",
    "scenarios.kit.reporting",
]
