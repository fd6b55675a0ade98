"""Reports of test runs: JUnit, Allure, a static site and the summary of a CI job.

    reports.collect    copy a run directory and pytest's output to one masked folder per cell, which a job uploads
    reports.report     read the folders, the plan and the history; return a Report of evaluated cells and classified failures
    reports.site       write a Report as pages         reports.summary  as Markdown
    reports.junit      write a Report as one JUnit file  reports.allure   as one folder of Allure results

It reads run directories and collected folders only, never a running lab. `python -m reports --help` is the command line of it.
"""
