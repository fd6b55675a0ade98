"""Plan the cells of the matrix and run them.

    definition scenarios/matrix.toml, validated: providers, deployers, suites  cells       a MatrixCell, its name and its parts
    feasibility  why a cell is not possible, by providers, deployers and pins  pairwise    few cells that cover all pairs of values
    changes    changed paths → the cells that they affect                      imports     the import graph, read from the sources
    durations  measured durations of cells; shards of equal length             plan        the planner, which combines these
    show       a plan as text, JSON and a GitHub matrix                        run_cell    one cell, from `lab up` to `lab down`

Planning changes no file except scenarios/durations.json.
"""
