"""A static site as a reader has it: its links, what its pages ask for, and the text a person sees."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class PageOfSite(HTMLParser):
    """One page: where its links lead (href and src), the ids they may lead to, and its text."""

    path: Path
    links: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    text: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.links += [value for name in ("href", "src") if (value := given.get(name))]
        self.ids |= {value for value in (given.get("id"), given.get("name")) if value}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def dead_links(site: Path) -> list[str]:
    """Follow every internal link of every page; list those without a file, or without the place in it they name."""
    pages = {path: PageOfSite(path) for path in site.rglob("*.html") if "_static" not in path.parts}
    dead = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            here = there.is_relative_to(site) and there.is_file()
            if not here or (parts.fragment and there in pages and unquote(parts.fragment) not in pages[there].ids):
                dead.append(f"{path.relative_to(site)}: {link}")
    return dead
