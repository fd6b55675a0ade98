"""Which cells of the matrix there are, which are chosen, and who runs them.

    matrix     scenarios/matrix.toml read: what there is to choose from        cells     a Cell, its name and its parts
    fits       why a cell cannot be: asked of providers, deployers and pins    pairwise  few cells in which all pairs meet
    changes    changed paths → the cells that they can change                  imports   who imports whom, read from the sources
    durations  how long cells took; shards of equal length                     plan      all of these put together
    show       a plan as text, JSON and a GitHub matrix

Nothing here creates or changes anything but the file of durations.
"""
