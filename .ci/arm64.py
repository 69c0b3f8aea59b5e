#!/usr/bin/env python3
"""Start the function as it is built for AWS, under qemu where this is no arm64 machine, and see that it lives.

Usage: .ci/arm64.py dist/bootstrap

Without settings it names those that are missing, and ends. With them it asks Lambda's Runtime API for work, and answers an
event that asks for nothing.
"""

import json
import os
import platform
import queue
import subprocess
import sys

from lambda_runtime import Function

NOTHING = "events/okta-session-end.json"
SETTINGS = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:vpn-outcomes",
}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    command = [sys.argv[1]] if platform.machine() in ("aarch64", "arm64") else ["qemu-aarch64-static", sys.argv[1]]
    path = {"PATH": os.environ["PATH"]}

    refused = subprocess.run(command, env=path, capture_output=True, text=True, timeout=120)
    missing = [json.loads(line)["error"].partition(":")[0] for line in refused.stdout.splitlines()]
    if refused.returncode != 1 or missing != ["AWS_REGION", "TOPIC_ARN"]:
        sys.exit(f"without settings: exit status {refused.returncode}, {refused.stdout}{refused.stderr}")

    with open(NOTHING, "rb") as file, Function(command, path | SETTINGS) as function:
        try:
            answer = function.invoke(file.read())
        except queue.Empty:
            sys.exit("no answer" if function.asked.is_set() else "it does not ask for work")
    if answer != ("response", {"outcomes": []}):
        sys.exit(f"{NOTHING} is answered with {answer}")
    print(f"{' '.join(command)}: names missing settings; asks for work; answers {NOTHING}")


if __name__ == "__main__":
    main()
