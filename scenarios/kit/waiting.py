"""How a scenario waits: watch one object, or repeat assertions until they hold."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

from kubernetes.client import ApiException
from kubernetes.watch import Watch
from urllib3.exceptions import HTTPError

from lab.errors import NotReady
from lab.wait import SYSTEM, NotYet, limit_watch, require_possible, until

T = TypeVar("T")


def watch(listing: Callable[..., Any], *args: str, name: str, holds: Callable[[Any], str | None], what: str, within: float) -> Any:
    """Watch one object of a list call (`core.list_namespace`) until `holds` returns None for it; return the object.

    `holds` returns the reason why the object is not ready. NotReady carries the last reason. A broken watch is started again.
    """
    began = since = time.monotonic()
    last = "not there yet"
    while (left := began + within - time.monotonic()) > 0:
        at_once = limit_watch(left)
        try:
            for event in Watch().stream(
                listing, *args, field_selector=f"metadata.name={name}", timeout_seconds=max(1, round(at_once)), _request_timeout=at_once + 5
            ):
                missing = "deleted" if event["type"] == "DELETED" else holds(event["object"])
                if missing is None:
                    return event["object"]
                if missing != last:
                    last, since = missing, time.monotonic()
        except (ApiException, HTTPError) as error:
            if last != (failure := f"the API does not answer: {error}"):
                last, since = failure, time.monotonic()
            pause()
        now = time.monotonic()
        require_possible(what, last=last, waited=now - began, unchanged_for=now - since)
    raise NotReady(what, last=last, within=within, unchanged_for=time.monotonic() - since)


def pause() -> None:
    """Wait a second before the next request to an API that did not answer."""
    SYSTEM.sleep(1.0)


def eventually(check: Callable[[], T], *, within: float, every: float = 0.25) -> T:
    """Call `check` until its assertions hold, and return its result. Retry also when an API is down or does not have the object.

    NotReady carries the last failed assertion; `check`'s docstring names what is awaited.
    """

    def probe() -> T:
        try:
            return check()
        except AssertionError as seen:
            raise NotYet(str(seen).strip() or "an assertion without a message") from seen
        except ApiException as seen:
            raise NotYet(f"the API answers {seen.status} {seen.reason}") from seen
        except HTTPError as seen:
            raise NotYet(f"the API does not answer: {type(seen).__name__}") from seen

    return until(probe, what=(check.__doc__ or check.__name__).strip(), within=within, every=every)
