"""Lab files that are not as they should be: each is a usage error that names the key, and a near name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deployers.wanted import document, prepare
from lab.errors import UsageError

MEMBERS = '[[members]]\nname = "a"\n'


def refused(folder: Path, text: str, **changes: Any) -> str:
    (folder / "lab.toml").write_text(text)
    with pytest.raises(UsageError) as caught:
        prepare(document(folder / "lab.toml", **changes))
    return str(caught.value.detail)


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("[karmda]\n", "'karmada'"),
        ("[Karmada]\n", "'karmada'"),
        ('[karamda]\nrelease = "1.18.2"\n', "'karmada'"),
        ("[karmada.etcdd]\n", "'etcd'"),
        ("[karmada.certificate]\n", "'certificates'"),
        ("[karmada.components.karmada-schedulr]\n", "'karmada-scheduler'"),
        ("[karmada.components.karmada-scheduler]\nreplica = 2\n", "'replicas'"),
        ("[karmada.addons]\nserch = true\n", "'search'"),
        ("[karmada.addons]\nopenkruse = true\n", "'openkruise'"),
        ("[karmada.etcd.external]\nserver = []\n", "'servers'"),
        ("[etcd]\nmembers = 3\n", "'karmada.etcd'"),
        ('release = "1.18.2"\n', "'karmada.release'"),
        ('[karmada]\nprovider = "kind"\n', "'provider, at the top of the file'"),
    ],
)
def test_an_unknown_key_or_table_has_a_near_name(text: str, near: str, tmp_path: Path) -> None:
    assert f"did you mean {near}?" in refused(tmp_path, MEMBERS + text)


@pytest.mark.parametrize(
    "text", ["karmada = 3\n", "[[karmada]]\n", "members = [1]\n", 'members = "x"\n', "host = 1\n", "[members]\n", "members = [[]]\n"]
)
@pytest.mark.parametrize("changes", [{}, {"release": "1.18.2", "deployer": "by_binary"}, {"members": 2}, {"provider": "kind"}])
def test_a_table_of_another_shape_is_a_usage_error(text: str, changes: dict[str, Any], tmp_path: Path) -> None:
    refused(tmp_path, text if "members" in text else text + MEMBERS, **changes)
