"""What a lab needs from this computer."""

from __future__ import annotations

from lab.limits.finding import GIB, Needs

URL = "https://dl.example/release/v1/kubectl"
NEEDS = Needs(total=15, urls=(URL,), module="k8s.io/kubernetes@v1.35.4", build_minutes=25, build_bytes=13 * GIB)
