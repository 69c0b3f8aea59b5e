#!/usr/bin/env python3
"""Start the functions as they are built for AWS, under qemu where this is no arm64 machine, and see that they live.

Usage: .ci/arm64.py dist/bootstrap dist/connect/bootstrap dist/receive/bootstrap dist/poll/bootstrap

Without settings the responder names those that are missing, and ends. With them it asks Lambda's Runtime API for work, and
answers an event that asks for nothing. The client connect handler names what is missing, and answers all the same. The doors and
the poll name what is missing, too. The doors answer a request that no door has. The poll, without a network, says that it failed.
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
REQUEST = "cmd/receive/testdata/request.json"
SCHEDULED = "cmd/poll/testdata/scheduled.json"
AWS = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",  # where nobody listens
}
SETTINGS = AWS | {"TOPIC_ARN": "arn:aws:sns:eu-west-1:111122223333:vpn-outcomes"}
STORE = AWS | {"EVENT_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/111122223333/events", "LEDGER_TABLE": "ledger"}
DOORS = STORE | {
    "DOORS": json.dumps([{"path": "/okta", "accepts": "universal-logout", "issuer": "https://acme.okta.com", "keys": "https://acme.okta.com/k"}])
}
ENTRA = STORE | {"ENTRA_TENANT_ID": "72f988bf-0000-4000-8000-2d7cd011db47", "ENTRA_CLIENT_ID": "11111111-0000-4000-8000-000000000001"}


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    here = platform.machine() in ("aarch64", "arm64")
    handler, connect, receive, poll = ([binary] if here else ["qemu-aarch64-static", binary] for binary in sys.argv[1:])
    path = {"PATH": os.environ["PATH"]}
    the_handler(handler, path)
    the_connect_handler(connect, path)
    the_doors(receive, path)
    the_poll(poll, path)


def refuses_to_start(command, path, names):
    refused = subprocess.run(command, env=path, capture_output=True, text=True, timeout=120)
    if refused.returncode != 1 or missing_in(refused.stdout) != names:
        sys.exit(f"without settings: exit status {refused.returncode}, {refused.stdout}{refused.stderr}")


def the_handler(command, path):
    refuses_to_start(command, path, ["AWS_REGION", "TOPIC_ARN"])
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


def the_doors(command, path):
    refuses_to_start(command, path, ["AWS_REGION", "DOORS", "EVENT_QUEUE_URL", "LEDGER_TABLE"])
    kind, answer = answer_of(command, path | DOORS, REQUEST)
    if kind != "response" or answer["statusCode"] != 404:
        sys.exit(f"{REQUEST} is answered with {kind} {answer}")
    print(f"{' '.join(command)}: names missing settings; answers {REQUEST} with 404")


def the_poll(command, path):
    refuses_to_start(command, path, ["AWS_REGION", "ENTRA_TENANT_ID", "ENTRA_CLIENT_ID", "EVENT_QUEUE_URL", "LEDGER_TABLE"])
    with tempfile.TemporaryFile("w+") as log:
        kind, _ = answer_of(command, path | ENTRA, SCHEDULED, log)
        log.seek(0)
        said = log.read()
    if kind != "response" or '"Verdict":"failed"' not in said:
        sys.exit(f"{SCHEDULED} is answered with {kind}, {said}")
    print(f"{' '.join(command)}: names missing settings; says that a poll without a network failed")


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
