#!/usr/bin/env python3
"""Start the functions as they are built for AWS, under qemu where this is no arm64 machine, and see that they live.

Usage: .ci/arm64.py dist/bootstrap dist/connect/bootstrap

Without settings the responder names those that are missing, and ends. With them it asks Lambda's Runtime API for work, and
answers an event that asks for nothing. The client connect handler names what is missing, and answers all the same.
"""

import json
import os
import platform
import queue
import subprocess
import sys
import tempfile

from lambda_runtime import Function

NOTHING = "events/okta/session-end.json"
CONNECT = "cmd/connect/testdata/v3.json"
SETTINGS = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:vpn-outcomes",
}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    here = platform.machine() in ("aarch64", "arm64")
    handler, connect = ([binary] if here else ["qemu-aarch64-static", binary] for binary in sys.argv[1:])
    path = {"PATH": os.environ["PATH"]}
    the_handler(handler, path)
    the_connect_handler(connect, path)


def the_handler(command, path):
    refused = subprocess.run(command, env=path, capture_output=True, text=True, timeout=120)
    missing = missing_in(refused.stdout)
    if refused.returncode != 1 or missing != ["AWS_REGION", "TOPIC_ARN"]:
        sys.exit(f"without settings: exit status {refused.returncode}, {refused.stdout}{refused.stderr}")
    answer = answer_of(command, path | SETTINGS, NOTHING)
    if answer != ("response", {"outcomes": []}):
        sys.exit(f"{NOTHING} is answered with {answer}")
    print(f"{' '.join(command)}: names missing settings; asks for work; answers {NOTHING}")


def the_connect_handler(command, path):
    with tempfile.TemporaryFile("w+") as log:
        kind, answer = answer_of(command, path, CONNECT, log)
        log.seek(0)
        said = log.read()
    if kind != "response" or answer["allow"] is not True or missing_in(said) != ["AWS_REGION", "LEDGER_TABLE"] or '"undecided"' not in said:
        sys.exit(f"{CONNECT} is answered with {kind} {answer}, {said}")
    print(f"{' '.join(command)}: names missing settings; answers {CONNECT} all the same")


def missing_in(log):
    lines = [json.loads(line) for line in log.splitlines()]
    return [line["error"].partition(":")[0] for line in lines if line["message"] == "configuration"]


def answer_of(command, env, file, log=None):
    with open(file, "rb") as f, Function(command, env, log) as function:
        try:
            return function.invoke(f.read())
        except queue.Empty:
            sys.exit("no answer" if function.asked.is_set() else "it does not ask for work")


if __name__ == "__main__":
    main()
