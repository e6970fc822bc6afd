"""Fill the HTML templates in lab/runner/templates; everything put into one is text, never markup."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, values: Mapping[str, Any], filters: Mapping[str, Callable[[Any], Any]] | None = None) -> str:
    """Fill in one of the templates; `filters` are its own, by the name it uses."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters or {})
    return environment.get_template(template).render(values)
