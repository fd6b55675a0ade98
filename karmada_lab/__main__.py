"""The command line: `python -m karmada_lab` is `lab`."""

from __future__ import annotations

from lab.__main__ import main

if __name__ == "__main__":
    main()
