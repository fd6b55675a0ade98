"""Karmada's own end-to-end suite, of the release under test, on a lab.

    suite     the compiled suite of a release, and what specs it has            spec      a spec and what came of it, read from ginkgo
    known     known.toml: what is not run here and what fails, whose it is, why  plan      specs + known + focus → what is run
    stand     what upstream's CI has and a lab has not: the interpreter webhook example, kind's objects
    execute   ginkgo as a program of the lab, its progress, its report           verdict   report + plan → cases, and what is wrong

`spec`, `known`, `plan` and `verdict` are pure. The suite is never changed: what runs is what upstream ships.
"""
