"""The plugin of pytest: fixtures lab, control_plane, karmada, namespace and workload, options --lab and --lab-…, markers needs and breaks.

pytest loads it by itself where karmada-lab is installed (entry point `pytest11`). A session in which no test asks for one of the fixtures
is left as it is: no lab, no signal handler, no umask, no filter of warnings, no exit code of ours.
"""

from __future__ import annotations

pytest_plugins = (
    "scenarios.kit.signals",  # in this order: pytest rewrites the assertions of a plugin only if no earlier one has imported it
    "scenarios.kit.options",
    "scenarios.kit.needs",
    "scenarios.kit.fixtures",
    "scenarios.kit.reporting",
)
