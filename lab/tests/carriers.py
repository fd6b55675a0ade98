"""Objects, one of every kind that lets a user carry a Secret's value, and a search for a value that knows none of the product's rules."""

from __future__ import annotations

import base64
import codecs
import html
import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

import yaml

Json = dict[str, Any]


def b64(text: str | bytes) -> str:
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def secret(value: str, **more: Any) -> Json:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "app"}, "data": {"k": b64(value)}, **more}


def policy(overriders: Json, *, kind: str = "OverridePolicy", target: str | None = "Secret", legacy: bool = False) -> Json:
    spec: Json = {"overriders": overriders} if legacy else {"overrideRules": [{"overriders": overriders}]}
    if target:
        spec["resourceSelectors"] = [{"apiVersion": "v1", "kind": target, "name": "s"}]
    return {"apiVersion": "policy.karmada.io/v1alpha1", "kind": kind, "metadata": {"name": "p"}, "spec": spec}


def plaintext(value: str) -> Json:
    return {"plaintext": [{"path": "/data/k", "operator": "replace", "value": b64(value)}]}


def in_string_data(value: str) -> Json:
    return {"plaintext": [{"path": "/stringData/k", "operator": "add", "value": value}]}


def of_all_data(value: str) -> Json:
    return {"plaintext": [{"path": "/data", "operator": "replace", "value": {"k": b64(value), "other": b64(value)}}]}


def of_a_field(value: str, how: str = "json") -> Json:
    return {"fieldOverrider": [{"fieldPath": "/stringData/conf", how: [{"subPath": "/db/pw", "operator": "replace", "value": value}]}]}


def work(value: str, *, manifest: Json | None = None, annotations: Json | None = None) -> Json:
    return {
        "apiVersion": "work.karmada.io/v1alpha1",
        "kind": "Work",
        "metadata": {"name": "w", "namespace": "karmada-es-member1", "annotations": annotations or {}},
        "spec": {"workload": {"manifests": [manifest or secret(value)]}},
    }


def applied(overriders: Json) -> str:
    return json.dumps([{"policyName": "p", "overriders": overriders}])


BY_PLACE: dict[str, Callable[[str], Any]] = {
    "secret": secret,
    "secret with stringData": lambda v: {"kind": "Secret", "stringData": {"k": v}},
    "secrets listed": lambda v: {"kind": "SecretList", "items": [{"data": {"k": b64(v)}}]},
    "list with a secret": lambda v: {"kind": "List", "items": [{"kind": "List", "items": [secret(v)]}]},
    "helm release": lambda v: secret(v, type="helm.sh/release.v1"),
    "last applied": lambda v: {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": json.dumps(secret(v))}}},
    "override policy": lambda v: policy(plaintext(v)),
    "override policy of stringData": lambda v: policy(in_string_data(v)),
    "override policy of all data": lambda v: policy(of_all_data(v)),
    "override policy for all kinds": lambda v: policy(plaintext(v), target=None),
    "override policy of before": lambda v: policy(plaintext(v), legacy=True),
    "override policy, JSON in a field": lambda v: policy(of_a_field(v)),
    "override policy, YAML in a field": lambda v: policy(of_a_field(v, "yaml")),
    "cluster override policy": lambda v: policy(plaintext(v), kind="ClusterOverridePolicy"),
    "cluster override policy, JSON in a field": lambda v: policy(of_a_field(v), kind="ClusterOverridePolicy"),
    "policy applied last": lambda v: {"metadata": {"annotations": {"last-applied": json.dumps(policy(plaintext(v)))}}},
    "work": work,
    "work with applied overrides": lambda v: work("x", annotations={"policy.karmada.io/applied-overrides": applied(plaintext(v))}),
    "work with applied cluster overrides": lambda v: work(
        "x", annotations={"policy.karmada.io/applied-cluster-overrides": applied(of_a_field(v))}
    ),
    "applied overrides of who knows what": lambda v: {
        "metadata": {"annotations": {"policy.karmada.io/applied-overrides": applied(plaintext(v))}}
    },
    "work's status": lambda v: {
        "kind": "Work",
        "status": {"manifestStatuses": [{"identifier": {"kind": "Secret", "name": "s"}, "status": {"seen": v}}]},
    },
    "binding's status": lambda v: {
        "kind": "ResourceBinding",
        "spec": {"resource": {"apiVersion": "v1", "kind": "Secret", "name": "s"}},
        "status": {"aggregatedStatus": [{"clusterName": "member1", "status": {"seen": v}}]},
    },
    "work in a policy's template": lambda v: {"spec": {"template": {"spec": {"manifest": secret(v)}}}},
    "audit event": lambda v: {"kind": "Event", "objectRef": {"resource": "secrets"}, "requestObject": {"data": {"k": b64(v)}}},
    "audit event of a patch": lambda v: {
        "kind": "Event",
        "objectRef": {"resource": "secrets", "name": "s"},
        "requestObject": [{"op": "replace", "path": "/data/k", "value": b64(v)}],
    },
    "JSON patch": lambda v: [{"op": "add", "path": "/stringData/k", "value": v}],
    "JSON patch of all": lambda v: [{"op": "replace", "path": "", "value": {"data": {"k": b64(v)}}}],
    "environment with a telling name": lambda v: {"kind": "Pod", "spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": v}]}]}},
    "kubeconfig in a ConfigMap": lambda v: {
        "kind": "ConfigMap",
        "data": {"kubeconfig": yaml.safe_dump({"users": [{"name": "u", "user": {"token": v, "client-key-data": b64(v)}}]})},
    },
    "proxy of a cluster": lambda v: {"kind": "Cluster", "spec": {"proxyHeader": {"Proxy-Authorization": f"Basic {v}"}}},
}
"""Where a value shows to be secret by where it stands. The rest is known by value only."""

BY_VALUE: dict[str, Callable[[str], Any]] = {
    "pod's environment": lambda v: {
        "kind": "Pod",
        "spec": {"containers": [{"env": [{"name": "NOTE", "value": v}], "args": [f"--note={v}"]}]},
    },
    "arguments of an overrider": lambda v: policy(
        {"argsOverrider": [{"containerName": "c", "operator": "add", "value": ["--x", f"--conf={v}"]}]}, target="Deployment"
    ),
    "command of an overrider": lambda v: policy(
        {"commandOverrider": [{"containerName": "c", "operator": "add", "value": [v]}]}, target="Deployment"
    ),
    "annotations of an overrider": lambda v: policy(
        {"annotationsOverrider": [{"operator": "add", "value": {"note": v}}]}, target="Deployment"
    ),
    "labels of an overrider": lambda v: policy({"labelsOverrider": [{"operator": "add", "value": {"n": v}}]}, target="Job"),
    "image of an overrider": lambda v: policy(
        {"imageOverrider": [{"component": "Tag", "operator": "add", "value": v}]}, target="Deployment"
    ),
    "ConfigMap of an override policy": lambda v: policy(plaintext(v), target="ConfigMap"),
    "ConfigMap": lambda v: {"kind": "ConfigMap", "data": {"conf": f"a: {v}\nb: {b64(v)}"}, "binaryData": {"k": b64(f"xx{v}yy")}},
    "interpreter's script": lambda v: {
        "kind": "ResourceInterpreterCustomization",
        "spec": {"customizations": {"retention": {"luaScript": f"function Retain(d, o)\n  local k = '{v}'\n  return d\nend"}}},
    },
    "managed fields": lambda v: {"metadata": {"managedFields": [{"fieldsV1": {"f:finalizers": {f'v:"{v}"': {}}}}]}},
    "state kept in a failover": lambda v: {
        "kind": "ResourceBinding",
        "spec": {"gracefulEvictionTasks": [{"fromCluster": "m", "preservedLabelState": {"state": v}}]},
    },
    "status of a deployment": lambda v: {"status": {"aggregatedStatus": [{"clusterName": "m", "status": {"message": f"cannot use {v}"}}]}},
    "message of an event": lambda v: {"kind": "Event", "message": f'admission webhook denied: value "{v}" is bad'},
    "condition of a policy": lambda v: {"status": {"conditions": [{"type": "Applied", "message": f"invalid: {json.dumps(v)}"}]}},
    "a key of a mapping": lambda v: {"metadata": {"annotations": {f"note/{v}": "x"}}},
    "template of a quota's claim": lambda v: {
        "spec": {"template": {"metadata": {"annotations": {"deep": json.dumps({"a": json.dumps({"b": v})})}}}}
    },
    "bytes as numbers": lambda v: {"data": list(v.encode())},
    "lines of a list": lambda v: {"output": ["before", *[b64(v * 3)[i : i + 20] for i in range(0, len(b64(v * 3)), 20)], "after"]},
}

ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda v: v,
    "JSON": json.dumps,
    "JSON in JSON": lambda v: json.dumps(json.dumps({"a": v})),
    "JSON, letters as they are": lambda v: json.dumps(v, ensure_ascii=False),
    "Python": repr,
    "Python, bytes": lambda v: repr(v.encode()),
    "YAML": lambda v: yaml.safe_dump({"k": v}),
    "YAML, folded": lambda v: yaml.safe_dump({"k": f"some words before {v} and after"}, width=20),
    "YAML, folded and quoted": lambda v: yaml.safe_dump({"k": f"some words before {v} and after"}, width=20, default_style='"'),
    "URL": lambda v: f"https://h/?q={quote(v)}&x=y",
    "URL, all of it": lambda v: quote(v, safe=""),
    "URL, a form": quote_plus,
    "HTML": html.escape,
    "hex": lambda v: v.encode().hex(),
    "numbers, as Go prints them": lambda v: f"[{' '.join(map(str, v.encode()))}]",
    "numbers, as Python prints them": lambda v: str(list(v.encode())),
    "base64": b64,
    "base64, unpadded": lambda v: b64(v).rstrip("="),
    "base64 of URLs": lambda v: base64.urlsafe_b64encode(f"??{v}~~>".encode()).decode(),
    "base64 of base64": lambda v: b64(b64(v)),
    "base64 of something longer": lambda v: b64(json.dumps({"a": "x", "b": v})),
    "base64 at the second place": lambda v: b64(f"x{v}yy"),
    "base64 at the third place": lambda v: b64(f"xx{v}y"),
    "base64 of base64 of something longer": lambda v: b64(f"a: {b64(f'x{v}y')}\n"),
    "base64 in lines of 64": lambda v: "\n".join(lines(b64(f"{'h' * 50}{v * 2}"), 64)),
    "base64 in lines of 76": lambda v: "\r\n".join(lines(b64(f"{'h' * 61}{v * 2}"), 76)),
    "base64 in lines, escaped": lambda v: "\\n".join(lines(b64(f"{'h' * 50}{v * 2}"), 64)),
    "base64 in lines, indented": lambda v: "key: |\n  " + "\n  ".join(lines(b64(v * 4), 24)),
    "pytest's margin": lambda v: "\n".join(f"E         - {line}" for line in lines(b64(v * 4), 30)),
    "pytest's diff": lambda v: f"E       AssertionError: assert {v!r} == 'x'\nE         - x\nE         + {v}",
    "Go's quoting": lambda v: json.dumps(v).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"),
}


def lines(text: str, width: int) -> list[str]:
    return [text[at : at + width] for at in range(0, len(text), width)]


# -- the search ------------------------------------------------------------------------------------------------------------------------


ESCAPE = re.compile(r"\\(U[0-9a-fA-F]{8}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[nrt\"'\\/])")


def holds(text: str, value: str, *, deep: int = 2) -> bool:
    """Tell whether a text holds a value in any form: it is unescaped and decoded in every way there is, `deep` times."""
    return any(value in read or value.encode().hex() in read for read in readings(text, deep))


def readings(text: str, deep: int) -> Iterator[str]:
    """Yield what a text may be read as."""
    flat = re.sub(r"(?:\\+n|\s)+(?:E +)?(?:[-+>|] +)?", "", text)
    yield from (text, flat, " ".join(text.split()), html.unescape(text), unquote_plus(text))
    for found in re.findall(r"\d{1,3}(?:[, ]+\d{1,3}){3,}", text):
        yield bytes(int(number) & 255 for number in re.findall(r"\d+", found)).decode(errors="replace")
    unescaped = re.sub(r"\\\n\s*\\?", "", text)  # YAML's folding between double quotes
    for _ in range(3):
        unescaped = re.sub(
            r"\\(U[0-9a-fA-F]{8}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[nrt\"'\\/])", lambda found: unescape(found.group()), unescaped
        )
        yield unescaped
        yield unescaped.encode("latin-1", "replace").decode(errors="replace")
    if deep:
        for run in re.findall(r"[A-Za-z0-9+/_-]{8,}", flat):
            for at in range(4):
                part = run[at : at + (len(run) - at) // 4 * 4].replace("-", "+").replace("_", "/")
                tail = run[at + len(part) :]
                for end in {"", (tail + "==")[:4] if len(tail) > 1 else ""}:
                    try:
                        decoded = base64.b64decode(part + end)
                    except ValueError:
                        continue
                    yield from readings(decoded.decode(errors="replace"), deep - 1) if len(decoded) > 5 else ()


def unescape(escape: str) -> str:
    return "/" if escape == r"\/" else codecs.decode(escape, "unicode_escape")
