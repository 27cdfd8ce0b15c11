"""The page in a real browser: it fits a phone, and no text of a picture hides another."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess

import pytest

import cxkit as cx

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on PATH")

QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The page itself may run nothing, so a frame around it measures.
MEASURE = """<!DOCTYPE html><meta charset=utf-8>
<iframe id=f style="width:%(width)dpx;height:9000px;border:0" srcdoc="%(page)s"></iframe>
<pre id=told></pre><script>
f.onload = () => {
  const page = f.contentDocument, faults = [];
  for (const svg of page.querySelectorAll('svg')) {
    const box = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll('text')].filter(t => t.textContent.trim());
    const boxes = texts.map(t => t.getBoundingClientRect());
    boxes.forEach((b, i) => {
      if (b.left < box.left - 1 || b.right > box.right + 1 || b.top < box.top - 1 ||
          b.bottom > box.bottom + 1) faults.push('cut off: ' + texts[i].textContent);
      if (texts[i].hasAttribute('transform')) return;
      for (let j = 0; j < i; j++) {
        if (texts[j].hasAttribute('transform')) continue;
        const wide = Math.min(b.right, boxes[j].right) - Math.max(b.left, boxes[j].left);
        const tall = Math.min(b.bottom, boxes[j].bottom) - Math.max(b.top, boxes[j].top);
        if (wide > 2 && tall > 4)
          faults.push(texts[i].textContent + ' hides ' + texts[j].textContent);
      }
    });
  }
  const root = page.documentElement;
  const shown = [...page.querySelectorAll('section')].filter(s => s.offsetHeight > 100);
  told.textContent = JSON.stringify({
    faults, room: root.clientWidth, used: root.scrollWidth, sections: shown.map(s => s.id)});
};
</script>"""


@pytest.fixture(scope="module")
def made():
    return cx.report.report(cx.simulate.retail(800, rng=5).journeys, goal="purchase")


def browse(tmp_path, *options):
    command = [CHROMIUM, *QUIET, f"--user-data-dir={tmp_path / 'profile'}", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.parametrize("width", [320, 390, 1200])
def test_the_page_fits_and_no_text_hides_another(made, tmp_path, width):
    page = tmp_path / "frame.html"
    page.write_text(
        MEASURE % {"width": width, "page": html.escape(made.html(), quote=True)}, encoding="utf-8"
    )
    out = browse(tmp_path, "--virtual-time-budget=5000", "--dump-dom", page.as_uri()).stdout
    told = json.loads(html.unescape(re.search(r'<pre id="told">(.*?)</pre>', out, re.DOTALL)[1]))
    assert told["faults"] == []
    assert told["used"] <= told["room"]
    assert told["sections"] == [f"section-{section.key}" for section in made.document.sections]


def test_a_picture_of_the_page_can_be_taken(made, tmp_path):
    page, picture = tmp_path / "report.html", tmp_path / "report.png"
    page.write_text(made.html(), encoding="utf-8")
    browse(tmp_path, f"--screenshot={picture}", "--window-size=1200,4000", page.as_uri())
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size > 100_000
