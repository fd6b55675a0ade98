"""A workflow of .github executed here, step by step, as a runner of GitHub's would: what it does is known before it is pushed.

    expressions   ${{ … }} evaluated                      workflow   workflows and actions read, and whether they fit together
    runner        steps with their environment, outputs and conditions      stage   jobs, their needs and their matrix

Every `run:` is executed for real. Of GitHub's own actions only what they leave in the workspace is imitated: an artifact is a folder,
and so is a cache; checkouts, tool set-ups and the cache of programs are this computer as it is, and are listed as such.
"""
