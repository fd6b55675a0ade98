"""karmada-lab: a CI test harness and end-to-end lab provisioner for Karmada.

    karmada_lab.testing   what tests are written with, beside the fixtures
    karmada_lab.plugin    the fixtures and options, which pytest loads by itself where karmada-lab is installed

Everything else is internal. In a checkout the packages lab, deployers, scenarios, perf and reports lie beside this one; a wheel holds them
below it (karmada_lab.lab, …), because names that common would meet others in site-packages (docs/concepts/packaging.md).
Nothing is imported here: helper programs start through this file.
"""
