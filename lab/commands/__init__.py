"""The verbs of the command line, one a file.

Nothing heavy is imported at the top of these files: `lab --help`, completion, and `lab status` and `lab up` of a running lab answer in
less than half a second. So a verb imports what it needs where it needs it, and draws with `lab.terminal.text`.
"""
