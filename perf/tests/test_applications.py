"""The applications that a trial moves: Deployments, and in each of their namespaces one policy that prefers the first member."""

from __future__ import annotations

from perf import applications


def test_applications_take_turns_in_namespaces_of_their_own() -> None:
    spaces = applications.list_namespaces(applications.NAMESPACE, 3)

    assert applications.list_namespaces(applications.NAMESPACE, 1) == [applications.NAMESPACE]
    assert spaces == ["perf-0", "perf-1", "perf-2"]
    assert all(map(applications.is_moved_namespace, [applications.NAMESPACE, *spaces]))
    assert not any(map(applications.is_moved_namespace, [None, "perf-load", *applications.list_namespaces(applications.LIMIT, 3)]))
