"""Machines: computers that commands and programs can be run on. Five verbs, whatever the computer is.

`local` is this one, `scripted` answers from a table (unit tests, `--dry-run`). Anything else is a function over
these five verbs.
"""
