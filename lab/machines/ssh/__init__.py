"""Machines reached by ssh: paramiko, one connection a machine, a channel for each command and each file.

    host            where a machine is and how it is logged in to, as data
    connection      the connection: host keys checked, jump hosts, keep-alive, sessions; connected again when it was lost
    connect_errors  errors of connecting, each with its remedy
    remote_command  the command line that the remote shell is given, and what is written to it first (pure)
    session         one command on one channel, to its end
    transfer        files by sftp, whole or not at all
    machine         the five verbs

Host keys are compared with a file of known hosts and never learned. Nothing but `remote_command` makes a line for a shell.
"""
