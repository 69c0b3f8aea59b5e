#!/usr/bin/env python3
"""Start the function as it is built for AWS, under qemu where this is no arm64 machine, and see that it lives.

Usage: .ci/arm64.py dist/bootstrap

With settings it asks Lambda's Runtime API for work, and answers an event that asks for nothing. Without settings it names
those that are missing, and ends.
"""

import http.server
import json
import os
import platform
import subprocess
import sys
import threading

NOTHING = "events/okta-session-end.json"
SETTINGS = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:vpn-outcomes",
}


class RuntimeAPI(http.server.BaseHTTPRequestHandler):
    """Lambda's side: one event to the first who asks, then nothing until the end."""

    answered = threading.Event()
    posted = []
    asked = 0

    def do_GET(self):
        RuntimeAPI.asked += 1
        if RuntimeAPI.asked > 1:
            RuntimeAPI.answered.wait()
            return
        with open(NOTHING, "rb") as file:
            event = file.read()
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
        self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
        self.send_header("Content-Length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self):
        body = b""
        while size := int(self.rfile.readline(), 16):  # the runtime client sends its answers in chunks
            body += self.rfile.read(size)
            self.rfile.readline()
        RuntimeAPI.posted.append((self.path.rsplit("/", 1)[-1], json.loads(body)))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        RuntimeAPI.answered.set()

    def log_message(self, *_):
        pass


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    command = [sys.argv[1]] if platform.machine() in ("aarch64", "arm64") else ["qemu-aarch64-static", sys.argv[1]]

    refused = subprocess.run(command, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=120)
    missing = [json.loads(line)["error"].partition(":")[0] for line in refused.stdout.splitlines()]
    if refused.returncode != 1 or missing != ["AWS_REGION", "TOPIC_ARN"]:
        sys.exit(f"without settings: exit status {refused.returncode}, {refused.stdout}{refused.stderr}")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), RuntimeAPI)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = SETTINGS | {"PATH": os.environ["PATH"], "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}"}
    function = subprocess.Popen(command, env=settings)
    try:
        RuntimeAPI.answered.wait(120)
    finally:
        function.kill()
        function.wait()
    if RuntimeAPI.posted != [("response", {"outcomes": []})]:
        sys.exit(f"asked for work {RuntimeAPI.asked} times, and answered {RuntimeAPI.posted} to {NOTHING}")
    print(f"{' '.join(command)}: names missing settings; asks for work; answers {NOTHING}")


if __name__ == "__main__":
    main()
