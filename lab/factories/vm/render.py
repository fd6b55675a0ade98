"""Documents made of the templates beside this file: libvirt's XML and cloud-init's seed."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES = Environment(  # noqa: S701 (not HTML: values are escaped for XML below)
    loader=FileSystemLoader(Path(__file__).parent / "templates"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def render_xml(template: str, **values: object) -> str:
    """Return a document for libvirt; values are text of it, whatever they contain."""
    quoted = {name: escape(str(value), {'"': "&quot;"}) for name, value in values.items()}
    return TEMPLATES.get_template(f"{template}.xml.j2").render(quoted)


def render_seed(template: str, **values: object) -> str:
    """Return a document of cloud-init."""
    return TEMPLATES.get_template(template).render(values)
