"""How a terminal or a pipe is drawn on."""

from __future__ import annotations

import io

from lab.terminal.drawing import Lines, open_drawing
from lab.terminal.live_tree import LiveTree
from lab.tests.terminal_fakes import Terminal


def test_a_terminal_gets_the_tree_and_a_pipe_gets_lines() -> None:
    assert isinstance(open_drawing("lab x", stream=Terminal(), env={}), LiveTree)
    assert isinstance(open_drawing("lab x", stream=io.StringIO(), env={}), Lines)
