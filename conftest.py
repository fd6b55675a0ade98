"""The plugins of this project's tests: those that every user of karmada-lab has, and two for this project alone.

    karmada_lab.plugin        fixtures and options of the lab; masked secrets, evidence, the end of the lab, the exit code
    scenarios.kit.golden      --update-golden and the fixture that compares with golden files
    scenarios.kit.selection   thorough tests run on demand, unit tests start no process

A test that requests a fixture of the lab gets a lab; a session without such a test brings none up.
"""

pytest_plugins = ["karmada_lab.plugin", "scenarios.kit.golden", "scenarios.kit.selection"]
