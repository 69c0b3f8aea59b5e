#!/usr/bin/env python3
"""Draw the pictures of the README into doc/, by a browser: the report of a week, an e-mail, and the dashboard.

Usage: .ci/pictures.py chromium

The report and the e-mail are made by the deployed function on loopback. CloudWatch draws dashboards nowhere else, so the dashboard is
drawn from the template's own widgets, in their places, with the outcomes of the same week.
"""

import datetime
import html
import json
import os
import re
import subprocess
import sys
import tempfile

CELL, ROW = 46, 46  # pixels
STYLE = """<meta charset="utf-8"><style>body { margin: 0; background: #fff; color: #1c2330; font: 14px/1.45 system-ui, sans-serif; }
.mail { width: 760px; margin: 24px; border: 1px solid #d5dbe3; border-radius: 6px; }
.mail b { display: block; padding: 10px 16px; background: #f4f6f9; border-bottom: 1px solid #d5dbe3; }
.mail pre { font: 13px/1.45 ui-monospace, Menlo, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 16px; }
.board { position: relative; margin: 8px; } .widget { position: absolute; box-sizing: border-box; padding: 3px; }
.widget > div { height: 100%; box-sizing: border-box; border: 1px solid #d5dbe3; border-radius: 4px; padding: 8px 12px; overflow: hidden; }
.widget h2 { font-size: 13px; margin: 0 0 6px; } .numbers { display: flex; flex-wrap: wrap; gap: 6px 16px; } .n { font-size: 26px; } .l { color: #5b6675; font-size: 12px; }
.alarms { display: flex; flex-wrap: wrap; gap: 4px; } .alarms span { border: 1px solid #17693a; color: #17693a; border-radius: 3px; padding: 1px 6px; font-size: 12px; }
table { border-collapse: collapse; font-size: 12px; width: 100%; } td { border-bottom: 1px solid #e8ecf1; padding: 3px 10px 3px 0; vertical-align: top; }
</style>"""
MOST_ROWS = 16  # of the dashboard; what is below is for those who scroll


def main():
    chromium = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["go", "test", "./cmd/clientvpn", "-run", "^TestPages$", "-count", "1", "-args", "-pages", folder], check=True,
                       stdout=subprocess.DEVNULL)
        shoot(chromium, os.path.join(folder, "week.html"), "doc/report.png", 1000, 1010)
        shoot(chromium, page(folder, "mail", mail(open(os.path.join(folder, "mail.txt"), encoding="utf-8").read())), "doc/mail.png", 810, 760)
        outcomes = [json.loads(line) for line in open(os.path.join(folder, "outcomes.json"), encoding="utf-8")]
        shoot(chromium, page(folder, "dashboard", dashboard(outcomes)), "doc/dashboard.png", 24 * CELL + 16, MOST_ROWS * ROW + 16)


def page(folder, name, body):
    path = os.path.join(folder, name + ".html")
    with open(path, "w", encoding="utf-8") as file:
        file.write(STYLE + body)
    return path


def shoot(chromium, path, to, width, height):
    subprocess.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                    f"--window-size={width},{height}", "--screenshot=" + os.path.abspath(to), "file://" + path],
                   check=True, timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    print(to, os.path.getsize(to), "bytes")


def mail(text):
    subject, body = text.split("\n\n", 1)
    return f'<div class="mail"><b>{html.escape(subject)}</b><pre>{html.escape(body)}</pre></div>'


def dashboard(outcomes):
    body = open("template.yaml", encoding="utf-8").read().split("DashboardBody: !Sub\n        - |\n", 1)[1].split("\n        #", 1)[0]
    names = {"AWS::StackName": "clientvpn-responder", "AWS::Region": "eu-west-1", "Mode": "enforce",
             "ConnectAlarms": "", "DoorAlarms": "", "PollAlarms": ""}
    body = re.sub(r"\$\{!?([^}]*)\}", lambda m: names.get(m.group(1), m.group(1)), body)
    drawn = [draw(w, outcomes) for w in json.loads(body)["widgets"] if w["y"] < MOST_ROWS]
    return f'<div class="board">{"".join(drawn)}</div>'


def draw(widget, outcomes):
    properties = widget["properties"]
    inner = f'<h2>{html.escape(properties.get("title", ""))}</h2>'
    if widget["type"] == "text":
        inner = html.escape(properties["markdown"]).replace("# ", "<b>", 1).replace("\n", "</b><br>", 1).replace("**", "").replace("`", "")
    elif widget["type"] == "alarm":
        inner += '<div class="alarms">' + "".join(f"<span>{a.removesuffix('.Arn').removesuffix('Alarm')}</span>" for a in properties["alarms"]) + "</div>"
    elif widget["type"] == "log":
        inner += table(properties["query"], outcomes)
    else:
        inner += '<div class="numbers">' + "".join(number(m, outcomes) for m in properties["metrics"]) + "</div>"
    place = f'left:{widget["x"] * CELL}px;top:{widget["y"] * ROW}px;width:{widget["width"] * CELL}px;height:{widget["height"] * ROW}px'
    return f'<div class="widget" style="{place}"><div>{inner}</div></div>'


def table(query, outcomes):
    """The rows that the widget's query selects, with the columns that it displays."""
    wanted = re.search(r"status in \[(.*?)\]", query)
    columns = [c.strip() for c in re.search(r"display (.*?) \|", query).group(1).split(",")]
    rows = ""
    for o in outcomes:
        if wanted is None or f'"{o["status"]}"' in wanted.group(1):
            rows += "<tr>" + "".join(f"<td>{html.escape(value(o, c))}</td>" for c in columns) + "</tr>"
    return f"<table>{rows}</table>"


def value(outcome, column):
    if column == "@timestamp":
        return outcome["timing"]["received_at"][:19].replace("T", " ")
    at = outcome
    for part in column.split(".")[1:]:
        at = at[int(part)] if isinstance(at, list) and len(at) > int(part) else at.get(part, "") if isinstance(at, dict) else ""
    return str(at)


def number(metric, outcomes):
    options = metric[-1] if isinstance(metric[-1], dict) else {}
    label, name = options.get("label", ""), str(metric)
    if "EndedConnections" in name or "ConnectionsEnded" in name:
        n = sum(c["current_status"] == "terminated" for o in outcomes for c in o["connections"])
    elif label in ("from the event", "from its arrival"):
        start = "event_at" if label == "from the event" else "received_at"
        took = sorted(seconds(o["timing"]["ended_at"]) - seconds(o["timing"][start]) for o in outcomes if o["status"] == "terminated")
        n = f"{took[int(len(took) * .95)] * 1000:,.0f} ms"
    else:
        n = sum(o["status"] == label for o in outcomes)
    return f'<div><div class="n">{n}</div><div class="l">{html.escape(label)}</div></div>'


def seconds(at):
    return datetime.datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", at).replace("Z", "+00:00")).timestamp()


if __name__ == "__main__":
    main()
