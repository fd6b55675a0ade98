"""The end-to-end scenarios: each file tests one promise on a real lab, by the fixtures of `kit.fixtures`.

test_*.py, *.toml   scenarios, the lab files they run on, and the matrix of cells
kit                 fixtures and tools of scenarios: the session's lab, extra labs, workloads, faults, traffic
matrix              which cells exist, which are possible, and how one cell runs
ci                  linters of a repository, rehearsal of workflows, the runners' kit
upstream            Karmada's own end-to-end suite on a lab
bookinfo            Istio's sample application
commands            the verbs of `lab` for all of these
"""
