"""Checks of files that are not Python code of this project: its workflows, and the repositories of people who install Karmada.

`files` finds them, `kinds` classifies them, one module per checker checks them, `coverage` holds what was not checked and why.
"""
