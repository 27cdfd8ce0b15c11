"""Reading a page back: whether its tags balance, what it would load, what it says."""

import math
import re
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "wbr", "br", "hr", "img", "link", "input"}
NUMBERS = {"x", "y", "width", "height", "cx", "cy", "fill-opacity", "font-size"}
LOADING = {"src", "href", "srcset", "action", "data", "poster", "background", "xlink:href"}


class Page(HTMLParser):
    """Every tag, attribute and text of a page; complains of tags that do not close in turn."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.texts, self.faults = [], [], [], []
        self.feed(page)
        self.close()
        self.faults += [f"<{name}> never closes" for name in self.open]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.faults.append(f"</{tag}> inside <{self.open[-1] if self.open else ''}>")
        else:
            self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    def all(self, *names):
        return [attrs for tag, attrs in self.tags if tag in names]

    def loads(self):
        """Whatever the page would fetch or run."""
        found = [
            tag for tag, _ in self.tags if tag in {"script", "iframe", "object", "embed", "img"}
        ]
        for tag, attrs in self.tags:
            found += [f"{tag} {name}" for name in attrs if name.startswith("on")]
            found += [
                f"{tag} {name}={value}"
                for name, value in attrs.items()
                if name in LOADING and not (value or "").startswith("#")
            ]
        return found


def check_page(page):
    """What must hold of every page, whatever the names in it are."""
    read = Page(page)
    assert read.faults == []
    assert read.loads() == []
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    assert not re.search(r"url\(|@import|expression", style)
    ids = [attrs["id"] for _, attrs in read.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    for _, attrs in read.tags:
        for name in (attrs.get("aria-labelledby") or "").split():
            assert name in ids
        if (attrs.get("href") or "").startswith("#"):
            assert attrs["href"][1:] in ids
    levels = [int(tag[1]) for tag, _ in read.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(read.all("caption")) == len(read.all("table"))
    assert all(attrs.get("scope") in {"col", "row"} for attrs in read.all("th"))
    assert all(attrs.get("role") == "img" and "viewbox" in attrs for attrs in read.all("svg"))
    for tag, attrs in read.tags:
        for name in attrs.keys() & NUMBERS:
            assert math.isfinite(float(attrs[name])), (tag, attrs)
        assert not re.search(r"nan|inf", attrs.get("d", "")), (tag, attrs)
    return read
