"""Results turned into what people read: JUnit, Allure, a static site, a job's summary.

    reports.collect    a run directory and pytest's output → one cell's folder, masked: what a job uploads
    reports.report     folders of cells, the plan, history → a Report: cells examined, failures classified
    reports.site       a Report → pages         reports.summary  → Markdown
    reports.junit      a Report → one JUnit     reports.allure   → one folder of Allure results

Reads run directories and collected folders, and nothing that runs. `python -m reports --help` is the command line of it.
"""
