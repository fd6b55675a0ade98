"""The pages in a real browser, in light, dark and at a phone's width: readable, reachable by keyboard, silent, and fetching nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports import site
from reports.report import ReportInputs, read_report
from reports.tests.results import NAME, PASSED, cell, failed, skipped, steps

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
DRIVER = shutil.which("chromedriver") or ""
FLAGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --hide-scrollbars"  # noqa: E501
pytestmark = [
    pytest.mark.spawns,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER), reason="unknown: no browser is here; on Debian: apt-get install chromium chromium-driver"
    ),
]
PAGES = ("index.html", "failures.html", "trends.html", f"cells/{NAME}.html", "cells/torn.html")
LOOKS = (("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390))
LOST = failed(
    "AssertionError: assert 1 == 2", "E   AssertionError: " + "a long line " * 60 + "\n\nscenarios/test_join.py:1: AssertionError"
)

FAINT = """
const channel = c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
const parts = color => color.match(/[\\d.]+/g).map(Number);
const light = color => { const [r, g, b] = parts(color); return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b); };
const ground = node => { for (; node; node = node.parentElement) {
  const color = getComputedStyle(node).backgroundColor, alpha = parts(color)[3];
  if (alpha === undefined || alpha === 1) return color; } return 'rgb(255, 255, 255)'; };
const faint = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let count = 0; walker.nextNode();) {
  const node = walker.currentNode.parentElement, style = getComputedStyle(node);
  if (!walker.currentNode.data.trim() || ['STYLE', 'SCRIPT'].includes(node.tagName) || !node.checkVisibility()) continue;
  const [a, b] = [light(style.color), light(ground(node))], ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const large = parseFloat(style.fontSize) >= 24;
  if (ratio < (large ? 3 : 4.5)) faint.push([walker.currentNode.data.trim().slice(0, 40), style.color, ground(node), ratio.toFixed(2)]);
}
return faint;
"""
REACHABLE = """
return [...document.querySelectorAll('a[href], summary, [tabindex="0"]')].filter(each => each.checkVisibility())
  .map((each, number) => { each.dataset.number = number; return number; });
"""
FOCUSED = """
const style = getComputedStyle(document.activeElement);
return [document.activeElement.dataset.number ?? null, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2];
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with one of everything: outcomes, failures, evidence, a critical path, history, what is torn, what was left out."""
    root = tmp_path_factory.mktemp("site")
    journal = steps(("member1/etcd", 10.0, 12.0, []), ("member1/joined", 13.0, 20.0, ["member1/etcd"]), up=11.0)
    perf = {"schema": 1, "kind": "failover", "name": "failover small", "total_seconds": 240.0, "seconds": {"detect": 12.0}, "verdict": "ok"}
    for number in (1, 2):
        cases = (PASSED, LOST, skipped("needs PODS")) if number == 2 else (PASSED, PASSED.replace("test_a", "test_b"))
        files = {"evidence/20260101T000000-test_b/logs/member1/etcd.log": "one\n", "perf/failover.json": json.dumps(perf)}
        common: dict[str, Any] = {"run": str(number), "started": 1e9 * number, "ended": 1e9 * number + 90}
        outcome: dict[str, Any] = {"outcome": "fail", "exit_code": 1, "reason": "1 test failed"} if number == 2 else {}
        cell(root / str(number), *cases, journal=journal, files=files, **common, **outcome)
        cell(root / str(number), name="kind", provider="kind", outcome="unknown", reason="no KVM here", **common)
        cell(root / str(number), PASSED, name="green", provider="ssh", **common)
    for name in ("torn", "torn_and_of_a_name_that_is_longer_than_a_phone_is_wide_by_far"):
        (root / "2" / name).mkdir()
        (root / "2" / name / "cell.json").write_text("{")
    parts = {"provider": "embedded", "deployer": "by_chart", "release": "1.18.2", "kubernetes": "1.35.4", "suite": "smoke"}
    (root / "plan.json").write_text(json.dumps({"cells": [], "left_out": [{"name": "x", **parts, "why": ["it needs PODS"]}]}))
    site.write_site(read_report(ReportInputs([root / "1", root / "2"], plan=root / "plan.json")), root / "site")
    return root / "site"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium; it is asked for its logs, which hold every request that a page makes."""
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = CHROMIUM
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with pytest.MonkeyPatch.context() as patch:  # the driver is of this computer
        patch.setenv("no_proxy", "*")
        patch.setenv("NO_PROXY", "*")
        driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    driver.set_page_load_timeout(120)
    yield driver
    driver.quit()


def shown(browser: Any, path: Path, scheme: str, width: int) -> None:
    """Open a page from disk in that look."""
    look = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", look)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    browser.get(path.as_uri())


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_read_in_every_look_and_fetches_nothing(browser: Any, pages: Path, page: str) -> None:
    browser.get_log("performance")
    for scheme, width in LOOKS:
        shown(browser, pages / page, scheme, width)
        browser.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert browser.execute_script(FAINT) == [], f"text that is too faint in {scheme} at {width}"
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width, f"it is wider than {width}"

    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert len(asked) >= len(LOOKS)
    assert {url for url in asked if not url.startswith("data:")} == {(pages / page).as_uri()}


@pytest.mark.parametrize("page", PAGES)
def test_everything_that_can_be_used_is_reached_by_keyboard_and_seen_to_be(browser: Any, pages: Path, page: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    shown(browser, pages / page, "light", 1280)
    wanted = set(browser.execute_script(REACHABLE))
    reached: set[int] = set()
    for _ in range(len(wanted) + 2):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        number, outlined = browser.execute_script(FOCUSED)
        if number is not None:
            assert outlined, f"no visible focus: {browser.switch_to.active_element.get_attribute('outerHTML')[:80]}"
            reached.add(int(number))

    assert len(wanted) >= 4
    assert reached == wanted


def test_a_failure_is_opened_and_its_evidence_followed_by_keyboard_alone(browser: Any, pages: Path) -> None:
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    shown(browser, pages / "index.html", "light", 1280)
    browser.find_element(By.PARTIAL_LINK_TEXT, "test_b").send_keys(Keys.ENTER)
    assert browser.current_url.startswith((pages / "failures.html").as_uri() + "#")
    summary = browser.find_element(By.XPATH, "//summary[contains(., 'Evidence')]")
    summary.send_keys(Keys.ENTER)
    browser.find_element(By.PARTIAL_LINK_TEXT, "etcd.log").send_keys(Keys.ENTER)

    assert browser.find_element(By.TAG_NAME, "body").text == "one"
