from __future__ import annotations

import pytest

from deployers.tests.control_plane_fakes import Server


@pytest.fixture
def server() -> Server:
    return Server()
