#!/usr/bin/env python3
"""Look at the pages of "clientvpn report" in a browser: nothing overflows, nothing runs, nothing loads, and hostile words stay text.

Usage: .ci/pages.py chromium

The pages are made by the deployed function on loopback. Each is opened as it is, and again with a script of ours that measures it.
"""

import html
import os
import re
import subprocess
import sys
import tempfile

PAGES = ["incident.html", "hostile.html", "week.html"]
WIDTHS = [1280, 800, 500]

MEASURE = """<script>addEventListener('load', () => {
  const wide = [...document.querySelectorAll('body, body *')].filter(e => !(e instanceof SVGElement))
    .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && getComputedStyle(e).display !== 'inline')
    .map(e => e.tagName + ' ' + e.textContent.slice(0, 60));
  const page = document.documentElement;
  if (page.scrollWidth > innerWidth) wide.push('the page, ' + page.scrollWidth + ' of ' + innerWidth);
  document.title = 'measured ' + JSON.stringify(wide);
})</script>"""


def main():
    chromium = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["go", "test", "./cmd/clientvpn", "-run", "^TestPages$", "-count", "1", "-args", "-pages", folder], check=True,
                       stdout=subprocess.DEVNULL)
        for name in PAGES:
            look(chromium, folder, name)
    print("The pages of clientvpn report: nothing overflows, nothing runs, nothing loads.")


def look(chromium, folder, name):
    path = os.path.join(folder, name)
    page = open(path, encoding="utf-8").read()
    dom, log = browse(chromium, path, WIDTHS[0])
    assert "Content-Security-Policy" in dom and "<script" not in dom and "<img" not in dom, f"{name}: not as it was written"
    assert "CONSOLE" not in log, f"{name}: {log}"
    assert title(dom) == title(page), f"{name}: something has run: {title(dom)}"
    # The measuring script needs a page that allows one.
    measured = os.path.join(folder, "measured-" + name)
    with open(measured, "w", encoding="utf-8") as file:
        file.write(re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', MEASURE, page, count=1))
    for width in WIDTHS:
        dom, _ = browse(chromium, measured, width)
        assert title(dom) == "measured []", f"{name} at {width} pixels: {title(dom)}"


def title(dom):
    return html.unescape(re.search(r"<title>(.*?)</title>", dom, re.S).group(1))


def browse(chromium, path, width):
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-extensions", "--no-first-run", f"--window-size={width},1000",
         "--host-resolver-rules=MAP * ~NOTFOUND", "--enable-logging=stderr", "--dump-dom", "file://" + path],
        capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


if __name__ == "__main__":
    main()
