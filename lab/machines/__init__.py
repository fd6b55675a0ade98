"""Machines: computers that commands and programs can be run on. Five verbs, whatever the computer is.

`local` is this one, `scripted` answers from a table (unit tests, `--dry-run`). What else one may want of a machine is a
function over these five: that is why there are no more.
"""
