"""The supervisor: one small process per run that owns the lab's programs.

A harness that is killed cannot clean up after itself, so it owns nothing: it asks the supervisor. The supervisor's
children die with it (PR_SET_PDEATHSIG), and it ends when the lab has no holder any more (`client.Hold`). So no
order of crashes leaves a process behind for longer than the lease.

    client   what the harness calls: start, stop, restart, ready, exited, status, hold, shutdown
    state    the state of programs, as data                  wire     the socket, from the asking side
    remains  orphans: processes without a supervisor
    server   the requests, the holders, the lease          loop     sockets, signals and timers on one thread
    process  one program: fork, exec, exit, back-off        table    all programs: start, stop, restart, shutdown
    order    the order of stopping (pure)              record   what is on disk, for when everything crashed
    proc     facts from /proc

In the run directory: `supervisor.sock` (0600), `supervisor.lock` (held while it lives), `processes/NAME.json`
('/' written as '+'), `logs/supervisor.log`.

Wire: one JSON object a line, request and answer. `{"op": "start", "program": {…}}` → `{"ok": true, …}` or
`{"ok": false, "code": "differs", "error": "…"}`. A connection answers in the order it was asked.

Everything here but `client` uses the standard library only, and little of it: the process starts in about 50 ms
and takes about 12 MiB.
"""
