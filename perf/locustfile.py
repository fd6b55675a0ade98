"""Load on a Karmada API during a failover: what users of a control plane do, by locust. perf.load starts it and never imports it.

Each user reads deployments and bindings, watches bindings for a second, and writes a template and a policy of its own in a namespace
of its own. Each request becomes one line in LOAD_FOLDER: end, name, duration, success. Only a lab's API on this computer is called.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from locust import FastHttpUser, constant_pacing, events, task

from lab.kube_access import read_access

ACCESS = read_access(Path(os.environ["LOAD_KUBECONFIG"]))
if urlsplit(ACCESS.server).hostname not in {"127.0.0.1", "localhost", "::1"}:
    raise SystemExit(f"{ACCESS.server} is not on this computer: load is only for the API of a local lab")
FOLDER = Path(os.environ["LOAD_FOLDER"])
MERGE = {"Content-Type": "application/merge-patch+json"}
WATCHED, OWN = os.environ["LOAD_WATCHED"], os.environ["LOAD_NAMESPACE"]
NUMBERS = itertools.count()


def record_request(name: str, response_time: float, exception: BaseException | None, **_: Any) -> None:
    """Record one request, as a single write of a whole line by the process that sent it."""
    row = json.dumps([round(time.time(), 3), name, round(response_time, 1), exception is None]) + "\n"
    with (FOLDER / f"requests-{os.getpid()}.jsonl").open("a") as file:
        file.write(row)


events.request.add_listener(record_request)  # type: ignore[no-untyped-call]


class Caller(FastHttpUser):
    """One user of the API, one request a second."""

    host = ACCESS.server
    wait_time = constant_pacing(1.0)
    insecure = False

    @staticmethod
    def ssl_context_factory() -> Any:
        return ACCESS.tls

    def on_start(self) -> None:
        """Create the objects that this user changes."""
        self.own = f"load-{os.getpid()}-{next(NUMBERS)}"
        maps, policies = f"/api/v1/namespaces/{OWN}/configmaps", f"/apis/policy.karmada.io/v1alpha1/namespaces/{OWN}/propagationpolicies"
        selector = {"apiVersion": "v1", "kind": "ConfigMap", "name": self.own}
        self.create_object(maps, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": self.own}, "data": {"turn": "0"}})
        spec = {"resourceSelectors": [selector], "placement": {"clusterAffinity": {"clusterNames": ["member2"]}}}
        kind = {"apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy"}
        self.create_object(policies, {**kind, "metadata": {"name": self.own}, "spec": spec})
        self.template, self.policy, self.turn = f"{maps}/{self.own}", f"{policies}/{self.own}", 0

    def create_object(self, path: str, manifest: dict[str, Any]) -> None:
        """Create an object; an existing one is fine."""
        with self.client.post(path, json=manifest, name="create", catch_response=True) as answer:
            if answer.status_code in {201, 409}:
                answer.success()

    @task(4)
    def read_deployments(self) -> None:
        self.client.get(f"/apis/apps/v1/namespaces/{WATCHED}/deployments?limit=50", name="read deployments")

    @task(2)
    def read_bindings(self) -> None:
        self.client.get(f"/apis/work.karmada.io/v1alpha2/namespaces/{WATCHED}/resourcebindings?limit=50", name="read bindings")

    @task(2)
    def write_template(self) -> None:
        self.turn += 1
        self.client.patch(self.template, data=json.dumps({"data": {"turn": str(self.turn)}}), headers=MERGE, name="write template")

    @task(1)
    def write_policy(self) -> None:
        self.turn += 1
        turn = {"metadata": {"annotations": {"perf.karmada-lab.io/turn": str(self.turn)}}}
        self.client.patch(self.policy, data=json.dumps(turn), headers=MERGE, name="write policy")

    @task(1)
    def watch_bindings(self) -> None:
        path = f"/apis/work.karmada.io/v1alpha2/namespaces/{WATCHED}/resourcebindings"
        self.client.get(f"{path}?watch=true&timeoutSeconds=1&resourceVersion=0", name="watch bindings for 1 s")
