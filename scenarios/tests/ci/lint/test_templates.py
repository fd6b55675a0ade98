"""A template is listed; a broken file is wrong, though `{{` stands somewhere in it."""

from __future__ import annotations

import pytest
import yaml

from scenarios.ci.lint.documents import read_yaml
from scenarios.ci.lint.templates import explain, has_bare_expression, is_template


def error_of(text: str) -> yaml.YAMLError:
    with pytest.raises(yaml.YAMLError) as caught:
        read_yaml(text)
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "{{- if .a }}\na: 1\n{{- end }}\n",
        "a: {{ .b }}-c\nd: {{ .e | quote }}\n",
        "{% for x in y %}\n- {{ x }}\n{% endfor %}\n",
        "a:\n  {{- toYaml .b | nindent 2 }}\n",
        'a:\n  b: 1\n  {{add "https://example.org/{{ .Tag }}.tgz" .Tag }}\n',
        "{{/* a comment */}}\na: {{ b }}c\n",
        "<% if a %>\nb: <%= c %>\n<% end %>\n",
        "a: 1\n{{ b }}\n",
    ],
)
def test_templates(text: str) -> None:
    assert is_template("a.yaml", text, error_of(text))


@pytest.mark.parametrize(
    "text",
    [
        "# {{ a }}\nb: c: d\n",
        'a: "{{ b }}"\nc: [\n',
        "a: '{{ b }}'\nc: d: e\n",
        "run: docker inspect -f {{.State}} x\nb: c: d\n",
        "run: |\n  docker ps --format {{.ID}}\nb: [1,\nc: 2\n",
        "a: ${{ b }}\nc: d: e\n",
    ],
)
def test_broken_files_are_no_templates(text: str) -> None:
    assert not is_template("a.yaml", text, error_of(text))


@pytest.mark.parametrize(
    ("text", "bare"), [("a: {{ b }}\n", True), ("a: '{{ b }}'\n", False), ("? {a: 1}\n: 2\n", False), ("a: ${{ b }}\n", False)]
)
def test_an_expression_that_happens_to_be_yaml(text: str, bare: bool) -> None:
    assert has_bare_expression(read_yaml(text), text) is bare


def test_a_fault_names_its_line() -> None:
    assert explain(error_of("a: 1\nb: c: d\n")).startswith("line 2:")
