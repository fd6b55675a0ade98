"""Run Karmada's own end-to-end suite, of the release under test, on a lab.

    suite     the compiled suite of a release, and its specs                  spec      a spec and its result, read from ginkgo
    known     known.toml: specs skipped or expected to fail, owner and reason  plan      specs + known + focus → the specs to run
    fixtures  parts of upstream's CI that a lab lacks: the interpreter webhook example, objects of kind clusters
    images    images that specs name, built here                              run       the whole run, from program to cases
    execute   ginkgo as a program of the lab, its progress and report         verdict   report + plan → cases, and errors of the run

`spec`, `known`, `plan` and `verdict` are pure. The suite is never changed: what runs is what upstream ships.
"""
