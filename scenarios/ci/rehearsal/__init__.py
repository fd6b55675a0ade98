"""Execute a workflow of .github on this computer, step by step, as a GitHub runner would, to test it before it is pushed.

    expressions   evaluate ${{ … }}                       workflow   read workflows and actions, check that they fit together
    runner        steps with their environment, outputs and conditions      stage   jobs, their needs and their matrix

Every `run:` is really executed. Of GitHub's own actions only the effect on the workspace is simulated: artifacts and caches are folders.
Actions that check out this project, install tools or cache programs do nothing; they are listed with the outcome `here`.

Why not nektos/act: its 0.2.82 was tried on e2e.yml with `-P ubuntu-24.04=-self-hosted`, --local-repository stand-ins for GitHub's actions,
and `make` targets that only record their calls. It evaluated the conditions, the matrix, continue-on-error and the outputs between
jobs as GitHub does. It cannot carry this job:
- Interrupted in the composite action .github/actions/cell, it killed the running step and did not run `collect` and `down` in spite of
  their `if: always()`. An interrupted rehearsal would leave its lab behind.
- It ran two cells at the same time although --concurrent-jobs was 1. Two labs do not fit on a laptop.
- The stand-ins for actions stay ours to write, and each job copies the whole checkout.
"""
