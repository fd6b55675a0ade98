"""The pictures of README and docs/: the architecture, drawn from data, and the screenshot of a report."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

from lab.errors import NotPossible
from lab.machines.local import Local

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
SIZE = (1280, 900)
WITHIN = 120.0
"""Seconds for a screenshot."""
Box = tuple[int, int, int, int, str, Sequence[str], str]
BOXES: Sequence[Box] = (
    (20, 40, 170, 90, "Lab file", ["clusters, nodes, Karmada,", "addons (TOML)"], "plain"),
    (250, 20, 200, 60, "Provider", ["embedded · kind · ssh · existing"], "ours"),
    (250, 100, 200, 60, "Deployer", ["by_binary · chart · yaml · …"], "ours"),
    (520, 20, 420, 60, "Host cluster", ["etcd · kube-apiserver · controller manager"], "theirs"),
    (520, 100, 420, 60, "Karmada", ["apiserver · controllers · scheduler · webhooks"], "theirs"),
    (520, 180, 200, 60, "member1", ["push or pull, nodes by kwok or real"], "theirs"),
    (740, 180, 200, 60, "member2", ["…"], "theirs"),
    (250, 180, 200, 60, "Supervisor", ["lease, logs, evidence, clean-up"], "ours"),
    (20, 280, 290, 60, "Tests", ["pytest fixtures · conformance · scenarios"], "ours"),
    (335, 280, 290, 60, "Measurements", ["failover, each phase with its limit"], "ours"),
    (650, 280, 290, 60, "Reports", ["failures by cause · trends · JUnit · Allure"], "ours"),
)
ARROWS = (
    *((190, 70, 250, 50), (190, 100, 250, 130), (450, 50, 520, 50), (450, 130, 520, 130), (450, 210, 520, 210)),
    *((620, 160, 620, 180), (840, 160, 840, 180), (165, 280, 250, 235), (480, 280, 560, 240), (625, 310, 650, 310)),
)
STYLE = """<style>
svg { background: #fff } rect { stroke-width: 1.5; rx: 8 }
.plain { fill: #fff8e6; stroke: #8f5f00 } .ours { fill: #e8f1fb; stroke: #2b5d8f }
.theirs { fill: #e9f6f0; stroke: #237a60 } text { font: 12px system-ui, sans-serif; fill: #3b434c; text-anchor: middle }
.name { font-weight: 600; font-size: 15px; fill: #1c2128 } line { stroke: #59636e; stroke-width: 1.5; marker-end: url(#tip) }
</style><defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
<path d="M0 0L8 4L0 8z" fill="#59636e"/></marker></defs>"""


def draw_architecture() -> str:
    """Return the picture of how a lab is made, as SVG."""
    title = "A lab file names a provider, which creates clusters, and a deployer, which installs Karmada; tests and reports use them"
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 360" width="960" role="img">',
        f"<title>{escape(title)}</title>{STYLE}",
    ]
    parts += [f'<line x1="{a}" y1="{b}" x2="{c}" y2="{d}"/>' for a, b, c, d in ARROWS]
    for x, y, width, height, name, lines, kind in BOXES:
        middle = x + width // 2
        parts.append(f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}"/>')
        parts.append(f'<text class="name" x="{middle}" y="{y + 25}">{escape(name)}</text>')
        parts += [f'<text x="{middle}" y="{y + 45 + 18 * row}">{escape(line)}</text>' for row, line in enumerate(lines)]
    return "\n".join([*parts, "</svg>\n"])


def write_architecture(folder: Path = FOLDER) -> Path:
    """Write the picture of the architecture; return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "architecture.svg").write_text(draw_architecture())
    return folder / "architecture.svg"


def take_screenshot(page: Path, folder: Path = FOLDER) -> Path:
    """Take a picture of a page by a headless browser; return its file. NotPossible without one."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise NotPossible("a screenshot needs a browser", remedy="apt-get install chromium")
    target = folder / "report.png"
    size = f"--window-size={SIZE[0]},{SIZE[1]}"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-background-networking"]
    with TemporaryDirectory() as scratch:
        Local(Path(scratch)).run([browser, *flags, size, f"--screenshot={target}", page.absolute().as_uri()], within=WITHIN)
    return target
