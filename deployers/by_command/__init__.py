"""Karmada by commands of the user's: an installer of another project, put to the tests of upstream's five."""
