#!/usr/bin/env python3
"""Keycloak as a transmitter of Shared Signals that we did not write, pushing to the real binary behind the doors. No AWS account.

Usage: .ci/keycloak.py receive clientvpn keycloak.zip

moto stands in for SQS and DynamoDB, and a loop below for Lambda's function URL. The operator's tool creates the stream and describes the door.
Then an administrator signs somebody out, the transmitter reports a revoked password, and the queue must hold both, as the responder's own
parser reads them. A token that was changed on its way must be refused.
"""

import base64
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile

import boto3
from lambda_runtime import Function
from rehearse import free_port

REGION, REALM, PERSON = "eu-west-1", "acme", "alice@example.com"
CHANGED = "https://schemas.openid.net/secevent/caep/event-type/credential-change"


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    receive, tool, archive = sys.argv[1:]
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=REGION)
    folder = tempfile.mkdtemp()
    processes = []
    try:
        rehearse(receive, tool, archive, folder, processes)
    finally:
        for process in processes:
            process.terminate()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def rehearse(receive, tool, archive, folder, processes):
    moto, keycloak = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    processes.append(subprocess.Popen([os.path.join(os.path.dirname(sys.executable), "moto_server"), "-H", "127.0.0.1", "-p", port(moto)],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    processes.append(start_keycloak(archive, folder, port(keycloak)))
    url = FunctionURL()
    admin = Keycloak(keycloak)
    secret = admin.prepare(url.address)
    transmitter = f"{keycloak}/realms/{REALM}"
    made = json.loads(manage(tool, secret, "--json", "ssf", "create", transmitter, url.address + "/ssf"))
    door, stream = made["door"], made["stream_id"]
    assert manage(tool, secret, "ssf", "status", transmitter, stream).strip() == "enabled"
    queue = boto3.client("sqs", endpoint_url=moto).create_queue(QueueName="events")["QueueUrl"]
    boto3.client("dynamodb", endpoint_url=moto).create_table(TableName="ledger", BillingMode="PAY_PER_REQUEST", KeySchema=[
        {"AttributeName": "id", "KeyType": "HASH"}], AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    environment = dict(os.environ, AWS_ENDPOINT_URL=moto, AWS_REGION=REGION, DOORS=json.dumps([door]), EVENT_QUEUE_URL=queue, LEDGER_TABLE="ledger")
    with Function([receive], environment, subprocess.DEVNULL) as function:
        url.function = function
        manage(tool, secret, "ssf", "verify", transmitter, stream)
        admin.sign_out()
        admin.emit(CHANGED, {"credential_type": "password", "change_type": "revoke"})
        kinds = read(boto3.client("sqs", endpoint_url=moto), queue, tool, {"session-revoked", "credential-change"})
        assert len(url.answers) >= 3 and set(url.answers) == {202}, url.answers
        spoilt = url.last[:-8] + ("A" * 8 if url.last[-8:] != "A" * 8 else "B" * 8)
        status, answer = url.post("/ssf", "application/secevent+jwt", spoilt)
        assert (status, json.loads(answer)["err"]) == (400, "invalid_key"), (status, answer)
    manage(tool, secret, "ssf", "delete", transmitter, stream)
    print(f"Keycloak pushed {', '.join(sorted(kinds))}; a changed token was refused.")


def port(url):
    return url.rsplit(":", 1)[1]


def start_keycloak(archive, folder, number):
    with zipfile.ZipFile(archive) as z:
        z.extractall(folder)
    home = os.path.join(folder, next(name for name in os.listdir(folder) if name.startswith("keycloak-")))
    script = os.path.join(home, "bin", "kc.sh")
    os.chmod(script, 0o755)
    return subprocess.Popen(
        [script, "start-dev", "--features=ssf", f"--http-port={number}", "--http-host=127.0.0.1",
         "--spi-ssf-transmitter--default--allow-insecure-push-targets=true", "--spi-ssf-transmitter--default--outbox-drainer-interval=2s"],
        env=dict(os.environ, KC_BOOTSTRAP_ADMIN_USERNAME="admin", KC_BOOTSTRAP_ADMIN_PASSWORD="admin", JAVA_OPTS_APPEND="-Xmx768m"),
        stdout=open(os.path.join(folder, "keycloak.log"), "w"), stderr=subprocess.STDOUT)


class Keycloak:
    """The administrator of a realm."""

    def __init__(self, url):
        self.url = url

    def call(self, method, path, body=None, token=None):
        form = isinstance(body, str)
        request = urllib.request.Request(self.url + path, method=method, data=None if body is None else (body if form else json.dumps(body)).encode())
        request.add_header("Content-Type", "application/x-www-form-urlencoded" if form else "application/json")
        if token:
            request.add_header("Authorization", "Bearer " + token)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                raw = response.read()
                return json.loads(raw) if raw else {}
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error} {error.read()[:500]}") from error

    def token(self, realm="master", **form):
        form = form or {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
        return self.call("POST", f"/realms/{realm}/protocol/openid-connect/token", urllib.parse.urlencode(form))["access_token"]

    def admin(self, method, path, body=None):
        return self.call(method, f"/admin/realms{path}", body, self.token())

    def prepare(self, receiver):
        """Give the token with which a receiver manages its stream."""
        for attempt in range(600):
            try:
                self.token()
                break
            except (urllib.error.URLError, ConnectionError):
                assert attempt < 599, "Keycloak does not start"
                time.sleep(1)
        self.admin("POST", "", {"realm": REALM, "enabled": True, "attributes": {"ssf.transmitterEnabled": "true"}})
        self.admin("POST", f"/{REALM}/users", {
            "username": "alice", "email": PERSON, "emailVerified": True, "enabled": True, "firstName": "Alice", "lastName": "Example",
            "credentials": [{"type": "password", "value": "alice", "temporary": False}]})
        self.admin("POST", f"/{REALM}/clients", {
            "clientId": "vpn", "secret": "vpn-secret", "serviceAccountsEnabled": True, "publicClient": False, "attributes": {
                "ssf.enabled": "true", "ssf.validPushUrls": receiver + "/*", "ssf.defaultSubjects": "ALL", "ssf.userSubjectFormat": "email"}})
        client = self.admin("GET", f"/{REALM}/clients?clientId=vpn")[0]["id"]
        for scope in self.admin("GET", f"/{REALM}/client-scopes"):
            if scope["name"] in ("ssf.read", "ssf.manage"):
                self.admin("PUT", f"/{REALM}/clients/{client}/optional-client-scopes/{scope['id']}", {})
        return self.token(REALM, grant_type="client_credentials", client_id="vpn", client_secret="vpn-secret", scope="ssf.read ssf.manage")

    def sign_out(self):
        """The person signs in, and an administrator ends all of the person's sessions."""
        self.token(REALM, grant_type="password", client_id="admin-cli", username="alice", password="alice")
        user = self.admin("GET", f"/{REALM}/users?username=alice")[0]["id"]
        self.admin("POST", f"/{REALM}/users/{user}/logout", {})

    def emit(self, kind, event):
        body = {"eventType": kind, "sub_id": {"format": "email", "email": PERSON}, "event": event}
        self.admin("POST", f"/{REALM}/ssf/clients/vpn/events/emit", body)


def manage(tool, token, *words):
    return subprocess.run([tool, *words], env=dict(os.environ, SSF_TOKEN=token), check=True, stdout=subprocess.PIPE, text=True).stdout


class FunctionURL:
    """Lambda's function URL: HTTP to events and back."""

    def __init__(self):
        self.function, self.answers, self.last = None, [], ""
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = outer.invoke(self.path, dict(self.headers.items()), body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{server.server_port}"

    def invoke(self, path, headers, body):
        if self.function is None:
            return 503, ""  # the transmitter tries again
        with self.lock:
            kind, answer = self.function.invoke(json.dumps({
                "version": "2.0", "rawPath": path, "headers": {name.lower(): value for name, value in headers.items()},
                "requestContext": {"domainName": "doors.example.com", "http": {"method": "POST", "sourceIp": "127.0.0.1"}},
                "body": base64.b64encode(body).decode(), "isBase64Encoded": True}).encode())
            assert kind == "response", answer
            self.answers.append(answer["statusCode"])
            self.last = body.decode()
            return answer["statusCode"], answer.get("body", "")

    def post(self, path, media, body):
        return self.invoke(path, {"Content-Type": media}, body.encode())


def read(sqs, queue, tool, wanted):
    """Give the kinds of the events in the queue, once those that are wanted are there."""
    found, end = set(), time.time() + 60
    while not wanted <= found:
        assert time.time() < end, f"only {found} arrived"
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            explained = subprocess.run([tool, "--json", "explain", "-"], input=message["Body"], check=False, capture_output=True, text=True).stdout
            for line in explained.splitlines():
                signal = json.loads(line).get("signal")
                if signal:
                    assert signal["subject"]["usernames"] == [PERSON], signal
                    found.add(signal["kind"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return found


if __name__ == "__main__":
    main()
