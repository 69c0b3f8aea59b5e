#!/usr/bin/env python3
"""Look at the pages of "clientvpn report" in a browser, from a desk to a phone, in light, dark and print: nothing overflows or is
too pale, nothing runs, nothing loads, and hostile words stay text.

Usage: .ci/pages.py chromium

The pages are made by the deployed function on loopback. Each is opened as it is, and again with a script of ours that measures it, once for each look.
"""

import html
import json
import os
import re
import subprocess
import sys
import tempfile

PAGES = ["incident.html", "hostile.html", "week.html"]
# What is measured: a desk, a tablet, half a window, a phone; the same in the dark; and A4 between its margins, as it is printed.
LOOKS = [("light", 1280), ("light", 800), ("light", 500), ("light", 390), ("dark", 1280), ("dark", 390), ("print", 718)]

# Browsers have no window as narrow as a phone, so each look is a frame. The frame says what it found to the page around it.
MEASURE = """<script>addEventListener('load', () => {
  const all = [...document.querySelectorAll('body, body *')];
  const found = all.filter(e => !(e instanceof SVGElement))
    .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display !== 'inline')
    .map(e => 'too wide: ' + e.tagName + ' ' + e.textContent.trim().slice(0, 60));
  const page = document.documentElement;
  if (page.scrollWidth > innerWidth) found.push('too wide: the page, ' + page.scrollWidth + ' of ' + innerWidth);
  if (innerWidth !== parent.width(name)) found.push('it is ' + innerWidth + ' pixels wide');

  // The contrast of text with what is behind it. Source: WCAG 2.2, 1.4.3.
  const parse = color => (color.match(/[\\d.]+/g) || []).map(Number);
  const light = color => { const [r, g, b] = color.map(c => c / 255).map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  for (const e of all) {
    if (e instanceof SVGElement || ![...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) found.push('too pale: ' + e.tagName + ' ' + e.textContent.trim().slice(0, 60));
  }
  parent.found(name, found);
})</script>"""

AROUND = """<!doctype html><title>measuring</title><script>
const looks = %s, seen = {};
function width(name) { return looks.find(l => l[0] + ' ' + l[1] === name)[1]; }
function found(name, what) { seen[name] = what;
  if (Object.keys(seen).length === looks.length) document.title = 'measured ' + JSON.stringify(Object.entries(seen).filter(s => s[1].length)); };
</script>%s"""


def main():
    chromium = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["go", "test", "./cmd/clientvpn", "-run", "^TestPages$", "-count", "1", "-args", "-pages", folder], check=True,
                       stdout=subprocess.DEVNULL)
        for name in PAGES:
            look(chromium, folder, name)
    print(f"The pages of clientvpn report: nothing overflows at {', '.join(str(w) for _, w in LOOKS[:4])} pixels, in the dark or in print; "
          "nothing runs, nothing loads.")


def look(chromium, folder, name):
    path = os.path.join(folder, name)
    page = open(path, encoding="utf-8").read()
    dom, log = browse(chromium, path)
    assert "Content-Security-Policy" in dom and "<script" not in dom and "<img" not in dom, f"{name}: not as it was written"
    assert "CONSOLE" not in log, f"{name}: {log}"
    assert title(dom) == title(page), f"{name}: something has run: {title(dom)}"
    measured = os.path.join(folder, "measured-" + name)
    with open(measured, "w", encoding="utf-8") as file:
        file.write(AROUND % (json.dumps(LOOKS), "".join(frame(page, *a_look) for a_look in LOOKS)))
    dom, _ = browse(chromium, measured)
    assert title(dom) == "measured []", f"{name}: {title(dom)}"


def frame(page, medium, width):
    """A frame of a width with the page as it is in the medium, and with the script, which the page itself would not allow."""
    page, n = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', lambda _: MEASURE, page, count=1)
    assert n == 1, "the page has no Content-Security-Policy"
    for query, of in [("(prefers-color-scheme: dark)", "dark"), ("print", "print")]:
        assert f"@media {query}" in page, f"the page has no style for {of}"
        page = page.replace(f"@media {query}", "@media all" if of == medium else "@media not all")
    return f'<iframe name="{medium} {width}" width="{width}" height="1000" style="border: 0" srcdoc="{html.escape(page)}"></iframe>'


def title(dom):
    return html.unescape(re.search(r"<title>(.*?)</title>", dom, re.S).group(1))


def browse(chromium, path):
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-extensions", "--no-first-run", "--window-size=1280,1000",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--dump-dom", "file://" + path],
        capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


if __name__ == "__main__":
    main()
