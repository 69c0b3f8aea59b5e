#!/usr/bin/env python3
"""The whole stack on loopback: template.yaml, every file of events/, the real binary; no AWS account.

Usage: .ci/rehearse.py bootstrap connect stand-in transformed.json

moto stands in for CloudFormation, EventBridge, SQS, SNS and DynamoDB; our own stand-in for EC2 and the identity store; and a loop below for
Lambda's event source mapping: batches, partial failures, visibility, dead letters. Each event is put on the bus that its rule listens
to, and its way is shown. It fails if an event is lost, if one is in the dead-letter queue that should not be or the other way round, or if an
outcome that is said to be published did not reach the subscribers. Then the client connect handler is asked for everybody who is kept
out, and the commands of the stack's outputs and of doc/keepout.md list them and let them in, as they are printed.

Where moto is known to differ from AWS:
- Its matcher does not know all of EventBridge's operators, nor arrays of objects. What it does not let in is put into the queue by
  hand, and it says so; .ci/Rules.java judges the patterns with EventBridge's own matcher.
- It takes the last part of a partner bus's name for the name, so those buses have short names here.
- It knows no attribute Arn of an alarm, so the dashboard is left out. It runs no schedules, and takes a rule with one for a rule that
  everything fits, so the self-test's is left out too. Its event source mapping wants Docker; the loop below is in its place.
- It leaves the account out of what it delivers.
- It knows no policy of a bus, and no Ref of a bus, so the stack's bus is made first and referred to by its name.
"""

import glob
import hashlib
import http.server
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import boto3
from lambda_runtime import Function

ACCOUNT, REGION, STACK = "111122223333", "eu-west-1", "clientvpn-responder"
BUSES = {"OktaEventSourceName": "okta", "Auth0EventSourceName": "auth0", "OneLoginEventSourceName": "onelogin",
         "SailPointEventSourceName": "sailpoint", "ForwarderBusName": "identity"}
PARAMETERS = BUSES | {"Mode": "enforce", "Watch": "1s", "IdentityStoreId": "d-9067123456", "AlertEmail": "security@example.com", "ChatTopic": "yes",
                      "KeepOut": "on", "KeepOutMessage": "Ask the night watch.", "OwnFormCloses": "yes",
                      "SenderArns": f"arn:aws:iam::{ACCOUNT}:role/hr", "OperatorArns": f"arn:aws:iam::{ACCOUNT}:role/operators"}
ENDED = ["terminated", "reconnecting"]  # what one subscriber filters for
VISIBILITY = 3  # seconds instead of minutes


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    bootstrap, connect, stand_in, transformed = sys.argv[1:]
    os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION=REGION, MOTO_ACCOUNT_ID=ACCOUNT)
    port = free_port()
    moto = subprocess.Popen([os.path.join(os.path.dirname(sys.executable), "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ec2 = subprocess.Popen([stand_in, "serve", "--json", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
    try:
        rehearse(bootstrap, connect, transformed, f"http://127.0.0.1:{port}", json.loads(ec2.stdout.readline())["url"])
    finally:
        for process in (moto, ec2):
            process.kill()
            process.wait()


def rehearse(bootstrap, connect, transformed, moto, ec2):
    wait_for(moto)
    aws = {name: boto3.client(name, endpoint_url=moto) for name in ("cloudformation", "events", "lambda", "s3", "sns", "sqs")}
    batch = deploy(aws, transformed)
    stack = {r["LogicalResourceId"]: r["PhysicalResourceId"]
             for r in aws["cloudformation"].list_stack_resources(StackName=STACK)["StackResourceSummaries"] if r.get("PhysicalResourceId")}
    function = aws["lambda"].get_function_configuration(FunctionName=stack["Responder"])
    events, dead = stack["Events"], stack["DeadLetters"]
    policy = json.loads(attributes(aws, events)["RedrivePolicy"])
    print(f"\n{STACK}: {sum(1 for r in stack)} resources. Batches of {batch}; {policy['maxReceiveCount']} tries, "
          f"{attributes(aws, events)['VisibilityTimeout']} s apart, which are {VISIBILITY} s here.\n")
    aws["sqs"].set_queue_attributes(QueueUrl=events, Attributes={"VisibilityTimeout": str(VISIBILITY)})
    machines = subscribe(aws, stack["Topic"], "machines", None)
    pager = subscribe(aws, stack["Topic"], "pager", {"status": ENDED})
    people = subscribe(aws, stack["MessageTopic"], "people", None)

    own_form(aws, events)
    sent = {}
    for file in sorted(glob.glob("events/*/*.json")):
        put(aws, events, file, sent)

    env = {"PATH": os.environ["PATH"], "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
           "AWS_ENDPOINT_URL": moto, "AWS_ENDPOINT_URL_EC2": ec2, "AWS_ENDPOINT_URL_IDENTITYSTORE": ec2, "TIME_LIMIT": "20s", "POLICY_FILE": "internal/trial/policy.yaml"}
    log = os.path.join(os.path.dirname(bootstrap), "log")
    with open(log, "w", encoding="utf-8") as out, Function([bootstrap], env | function["Environment"]["Variables"], out) as running:
        tries = poll(aws, events, batch, running)
    judge(sent, tries, log, drain(aws, dead), drain(aws, machines), drain(aws, pager), drain(aws, people))
    function = aws["lambda"].get_function_configuration(FunctionName=stack["Connect"])
    outputs = {o["OutputKey"]: o["OutputValue"] for o in aws["cloudformation"].describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]}
    with Function([connect], env | function["Environment"]["Variables"], subprocess.DEVNULL) as running:
        keep_out(running, outputs, moto)
        function = aws["lambda"].get_function_configuration(FunctionName=stack["Responder"])
        with Function([bootstrap], env | function["Environment"]["Variables"], subprocess.DEVNULL) as responder:
            off_switch(responder, running, outputs, moto)
        lock_out(transformed)
        stack_sets(outputs, moto)
        policy_in_s3(lambda: Function([bootstrap], env | function["Environment"]["Variables"], subprocess.DEVNULL), outputs, moto)


def deploy(aws, transformed):
    for bus in BUSES.values():
        aws["events"].create_event_bus(Name=bus)
    aws["s3"].create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    aws["s3"].put_object(Bucket="bucket", Key="code.zip", Body=b"the code runs here")
    with open(transformed, encoding="utf-8") as file:
        template = json.load(file)
    resources = template["Resources"]
    del resources["Dashboard"], template["Outputs"]["DashboardUrl"]
    # moto runs no functions, so neither the guard nor a gradual deployment, and no schedules.
    for name in [n for n, r in resources.items() if r["Type"].startswith(("Custom::", "AWS::CodeDeploy::")) or
                 r["Type"] == "AWS::Events::Rule" and "ScheduleExpression" in r["Properties"]]:
        del resources[name]
    resources["ConnectAliaslive"].pop("UpdatePolicy")
    # Partner event sources have longer names than the buses here, and moto knows their state only for partners.
    resources["Responder"]["Properties"]["Environment"]["Variables"].pop("PARTNER_SOURCES")
    mapping = resources.pop("ResponderQueue")["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], mapping
    template["Resources"] = {"Bus": resources.pop("Bus")} | resources
    body = json.dumps(template).replace('{"Ref": "Bus"}', '{"Ref": "AWS::StackName"}')
    aws["cloudformation"].create_stack(
        StackName=STACK, TemplateBody=body, Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in PARAMETERS.items()])
    return mapping["BatchSize"]


def subscribe(aws, topic, name, wanted):
    queue = aws["sqs"].create_queue(QueueName=name)["QueueUrl"]
    options = {"RawMessageDelivery": "true"} | ({"FilterPolicy": json.dumps(wanted)} if wanted else {})
    aws["sns"].subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes(aws, queue)["QueueArn"], Attributes=options)
    return queue


def put(aws, queue, file, sent):
    """Put the file on the bus that its source arrives on, and see whether it gets into the queue."""
    with open(file, encoding="utf-8") as f:
        event = json.load(f)
    with open(file.removesuffix(".json") + ".golden", encoding="utf-8") as f:
        golden = json.load(f)
    wanted = any("signal" in e or not e["error"].startswith("unsupported event") for e in golden["explain"])
    bus = next((b for b in BUSES.values() if event["source"].startswith(f"aws.partner/{b}.com/")), None)
    bus = bus or ("identity" if event["source"].startswith("custom.") else STACK if event["source"] == "clientvpn-responder" else "default")
    before = waiting(aws, queue)
    entry = {"EventBusName": bus, "Source": event["source"], "DetailType": event["detail-type"],
             "Detail": json.dumps(event["detail"]), "Resources": event["resources"]}
    [answer] = aws["events"].put_events(Entries=[entry])["Entries"]
    through = waiting(aws, queue) > before
    if wanted and not through:
        body = event | {"id": answer["EventId"], "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        aws["sqs"].send_message(QueueUrl=queue, MessageBody=json.dumps(body))
    way = f"{bus} bus" if through else "by hand" if wanted else "not let in"
    sent[answer["EventId"]] = {"file": file, "wanted": wanted, "way": way, "dies": bool(golden["run"].get("error")),
                               # What a sweep finds, beside its own outcome, follows from the events before.
                               "outcomes": 1 if "/sweep/" in file else len(golden["run"]["outcomes"])}


def own_form(aws, queue):
    """Nobody is heard who puts our own form on the default bus."""
    detail = json.dumps({"username": "zoe", "reason": "drill"})
    aws["events"].put_events(Entries=[{"Source": "clientvpn-responder", "DetailType": "Terminate Connections", "Detail": detail}])
    if waiting(aws, queue):
        sys.exit("our own form is heard on the default bus")
    print("Our own form is not heard on the default bus.")


def poll(aws, queue, size, function):
    """Lambda's event source mapping, until the queue is empty."""
    tries = {}
    while True:
        messages = aws["sqs"].receive_message(QueueUrl=queue, MaxNumberOfMessages=size, AttributeNames=["All"]).get("Messages", [])
        if not messages:
            state = attributes(aws, queue)
            if state["ApproximateNumberOfMessages"] == state["ApproximateNumberOfMessagesNotVisible"] == "0":
                return tries
            time.sleep(0.2)
            continue
        records = [{"messageId": m["MessageId"], "receiptHandle": m["ReceiptHandle"], "body": m["Body"], "attributes": m["Attributes"],
                    "eventSource": "aws:sqs", "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT}:events", "awsRegion": REGION} for m in messages]
        for m in messages:
            tries[json.loads(m["Body"])["id"]] = int(m["Attributes"]["ApproximateReceiveCount"])
        kind, answer = function.invoke(json.dumps({"Records": records}).encode())
        # With an error instead of an answer, Lambda deletes none of the batch.
        failed = {f["itemIdentifier"] for f in answer["batchItemFailures"]} if kind == "response" else {m["MessageId"] for m in messages}
        for m in messages:
            if m["MessageId"] not in failed:
                aws["sqs"].delete_message(QueueUrl=queue, ReceiptHandle=m["ReceiptHandle"])


def judge(sent, tries, log, dead, machines, pager, people):
    outcomes = {}
    with open(log, encoding="utf-8") as file:
        for line in map(json.loads, file):
            if line["message"] == "outcome":
                outcomes.setdefault(line["outcome"]["signal"]["event_id"], []).append((line["outcome"]["status"], line["published"]))
    died = {json.loads(body)["id"] for body in dead}
    told = [json.loads(body) for body in machines]
    wrong = []
    for number, event in sent.items():
        ends = [status for status, _ in outcomes.get(number, [])]
        end = "dead letter" if number in died else ", ".join(ends) or ("nothing to do" if number in tries else "")
        print(f"  {event['file'][7:-5]:44} {event['way']:14} {tries.get(number, 0) or '':2} {end}")
        if (number in died) != event["dies"]:
            wrong.append(f"{event['file']}: {'a dead letter' if number in died else 'no dead letter'}")
        elif len(ends) < event["outcomes"]:
            wrong.append(f"{event['file']}: {len(ends)} outcomes of {event['outcomes']}, and no dead letter: it is lost")
        published = sum(p for _, p in outcomes.get(number, []))
        if published != sum(t["signal"].get("event_id") == number for t in told):
            wrong.append(f"{event['file']}: {published} outcomes published, and others arrived")
    ended = sum(t["status"] in ENDED for t in told)
    if len(pager) != ended:
        wrong.append(f"the filtered subscription got {len(pager)} of {ended}")
    news = [t for t in told if t["status"] != "ready"]  # that all is well, people are not told
    if len(people) != len(news):
        wrong.append(f"people were told {len(people)} of {len(news)} outcomes")
    hand = sorted(e["file"][7:-5] for e in sent.values() if e["way"] == "by hand")
    extra = sorted(e["file"][7:-5] for e in sent.values() if e["way"].endswith("bus") and not e["wanted"])
    print(f"\n{len(sent)} events: {sum(e['way'].endswith('bus') for e in sent.values())} through EventBridge, {len(hand)} put into the queue by hand, "
          f"{sum(e['way'] == 'not let in' for e in sent.values())} not let in.")
    print(f"{len(told)} outcomes told, {ended} of them on the filtered subscription; {len(died)} dead letters.")
    if hand:
        print(f"By hand, because moto's matcher cannot read these patterns, where EventBridge's can: {', '.join(hand)}.")
    if extra:
        print(f"Let in by moto, where EventBridge would not: {', '.join(extra)}.")
    sys.stdout.flush()
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong or not told or not pager:
        sys.exit(1)


def shell(outputs, moto):
    """Return what runs a command of the outputs as it is printed."""
    env = os.environ | {"AWS_ENDPOINT_URL": moto, "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}", "TABLE": outputs["LedgerTableName"],
                        "USER": "ops"}

    def sh(command, **more):
        done = subprocess.run(["bash", "-euc", command], env=env | more, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{command}: {done.stderr}{done.stdout}")
        return done.stdout

    return sh


def may_connect(connect, person):
    request = {"connection-id": "cvpn-connection-1", "endpoint-id": "cvpn-endpoint-1", "username": person, "common-name": "", "schema-version": "v3"}
    kind, answer = connect.invoke(json.dumps(request).encode())
    if kind != "response" or not answer["allow"] and answer["error-msg-on-denied-connection"] != PARAMETERS["KeepOutMessage"]:
        sys.exit(f"{person} may connect? {kind} {answer}")
    return answer["allow"]


def off_switch(responder, connect, outputs, moto):
    """The command that stops everything stops both functions from the next event on, and the other starts them again."""
    sh = shell(outputs, moto)

    def terminate(number):
        event = {"id": f"switch-{number}", "source": "clientvpn-responder", "detail-type": "Terminate Connections", "account": ACCOUNT,
                 "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "detail": {"username": "zoe", "kind": "account-disabled", "reason": "drill"}}
        kind, answer = responder.invoke(json.dumps(event).encode())
        if kind != "response":
            sys.exit(f"{kind}: {answer}")
        return answer["outcomes"][0]["decision"]

    on = terminate(1)["mode"], may_connect(connect, "zoe")
    sh(outputs["StopCommand"])
    decision = terminate(2)
    off = decision["mode"], may_connect(connect, "zoe")
    said = [r for r in decision["reasons"] if r.startswith("everything is switched off since 2") and " by ops" in r]
    started = sh(outputs["StartCommand"])
    again = terminate(3)["mode"], may_connect(connect, "zoe")
    if (on, off, again) != (("enforce", False), ("dry-run", True), ("enforce", False)) or not said or "ops" not in started:
        sys.exit(f"the off switch: {on}, {off}, {again}, {decision['reasons']}, {started}")
    print("\nStopCommand stops both functions from the next event on, and StartCommand starts them again.")


def stack_sets(outputs, moto):
    """The commands for stack sets are carried out as they are printed."""
    sh = shell(outputs, moto)
    organizations = boto3.client("organizations", endpoint_url=moto)
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="unit")["OrganizationalUnit"]["Id"]
    for page in ("doc/sources.md", "doc/settings.md"):
        with open(page, encoding="utf-8") as file:
            blocks = re.findall(r"^```\n(aws cloudformation create-stack-set .*?)^```$", file.read(), re.M | re.S)
        if not blocks:
            sys.exit(f"{page} has no stack set")
        for block in blocks:
            sh(block.replace("ou-ab12-c3d4e5f6", unit))
            print(f"$ {block.splitlines()[0]}")


def lock_out(transformed):
    """The guard refuses to take a handler away that an endpoint asks, and nothing else. A server here is EC2 and CloudFormation."""
    with open(transformed, encoding="utf-8") as file:
        code = json.load(file)["Resources"]["LockOutGuardFunction"]["Properties"]["Code"]["ZipFile"]
    guard, answers = {}, []
    exec(compile(code, "LockOutGuardFunction", "exec"), guard)  # as Lambda would run it
    function, other = (f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:AWSClientVPN-{name}" for name in (STACK, "other"))

    class Server(http.server.BaseHTTPRequestHandler):
        def do_PUT(self):
            answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.answer(b"")

        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            # The endpoint names the function's alias; another has no handler.
            self.answer(b"<DescribeClientVpnEndpointsResponse><clientVpnEndpoint><item><clientVpnEndpointId>cvpn-endpoint-1</clientVpnEndpointId>"
                        b"<clientConnectOptions><enabled>true</enabled><lambdaFunctionArn>" + function.encode() + b":live</lambdaFunctionArn>"
                        b"</clientConnectOptions></item><item><clientVpnEndpointId>cvpn-endpoint-2</clientVpnEndpointId></item></clientVpnEndpoint>"
                        b"</DescribeClientVpnEndpointsResponse>")

        def answer(self, body):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ["AWS_ENDPOINT_URL_EC2"] = f"http://127.0.0.1:{server.server_port}"
    for kind, old, new, want in (("Create", "", function, "SUCCESS"), ("Update", function, function, "SUCCESS"), ("Update", function, "", "FAILED"),
                                 ("Update", other, "", "SUCCESS"), ("Delete", "", function, "FAILED"), ("Delete", "", other, "SUCCESS"),
                                 ("Delete", "", function[:-1], "SUCCESS"), ("Delete", "", "", "SUCCESS")):
        guard["handler"]({"RequestType": kind, "ResponseURL": f"http://127.0.0.1:{server.server_port}/", "StackId": "s", "RequestId": "r",
                          "LogicalResourceId": "LockOutGuard", "ResourceProperties": {"Handler": new}, "OldResourceProperties": {"Handler": old}}, None)
        if answers[-1]["Status"] != want or want == "FAILED" and "cvpn-endpoint-" not in answers[-1]["Reason"]:
            sys.exit(f"the guard against locking everybody out: {kind} from {old} to {new} is {answers[-1]}")
    os.environ["AWS_ENDPOINT_URL_EC2"] = "http://127.0.0.1:1"
    guard["handler"]({"RequestType": "Delete", "ResponseURL": f"http://127.0.0.1:{server.server_port}/", "StackId": "s", "RequestId": "r",
                      "LogicalResourceId": "LockOutGuard", "ResourceProperties": {"Handler": function}}, None)
    del os.environ["AWS_ENDPOINT_URL_EC2"]
    if answers[-1]["Status"] != "FAILED":
        sys.exit(f"the guard lets go what it cannot know: {answers[-1]}")
    print("Keep-out cannot be turned off, nor the stack deleted, while an endpoint asks the handler.")


def policy_in_s3(start, outputs, moto):
    """The policy that is put by the command decides in a new process, and a bad one does not replace it."""
    sh = shell(outputs, moto)
    bucket = outputs["PolicyLocation"].split("/")[2]
    sh(f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled")  # moto leaves that out of the template
    with open("internal/trial/policy.yaml", "rb") as file:
        good = file.read() + b"# as it was put\n"
    seen = []
    for text in (good, b"version: 1\nexcempt: []\n"):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "policy.yaml"), "wb") as file:
                file.write(text)
            sh(f"cd {folder} && {outputs['PolicyPutCommand']}")
        with start() as function:
            kind, answer = function.invoke(json.dumps({"id": "policy", "source": "clientvpn-responder", "detail-type": "Self Test", "detail": {}}).encode())
        [outcome] = answer["outcomes"] if kind == "response" else sys.exit(f"{kind}: {answer}")
        seen.append((outcome["policy_hash"], outcome.get("policy_problem", "")))
    want = "sha256:" + hashlib.sha256(good).hexdigest()
    if [hash for hash, _ in seen] != [want, want] or seen[0][1] or "policy.yaml:2:1" not in seen[1][1]:
        sys.exit(f"the policy in S3: {seen}, want {want}")
    print("PolicyPutCommand has a policy decide, and a bad one does not replace it.")


def keep_out(connect, outputs, moto):
    """Who is on the list is denied, is listed, and is let in again, by the commands as they are printed."""
    sh = shell(outputs, moto)

    def listed():
        return sorted(json.loads(sh(outputs["KeepOutListCommand"].replace("--output table", "--output json"))), key=lambda row: row["person"])

    everybody = listed()
    people = [row["person"].removeprefix("person#") for row in everybody]
    denied = [p for p in people if not may_connect(connect, p)]
    print(f"\n{len(people)} people are kept out: {', '.join(people)}.")
    if not people or denied != people or not may_connect(connect, "zoe"):
        sys.exit(f"of them the client connect handler denies {denied}")
    with open("doc/keepout.md", encoding="utf-8") as file:
        printed = [b for b in re.findall(r"^```\n(aws dynamodb .*?)^```$", file.read(), re.M | re.S) if "restore" not in b]
    finding = next((row["person"].removeprefix("person#") for row in everybody if "finding" in row["kept_out"]), None)
    if finding is None:
        sys.exit(f"nobody is kept out by a finding: {everybody}")
    for block in printed:
        for command in re.split(r"\n(?=aws )", block):
            sh(command.replace("alice", finding))
            print(f"$ {command.splitlines()[0]}")
    for person in people:  # the commands of the page lift what a finding put there, and that may not be all
        sh(outputs["KeepOutLiftCommand"], PERSON=person)
    if listed() or not all(may_connect(connect, p) for p in people):
        sys.exit(f"still kept out: {listed()}")
    print("They are let in again, by the commands as they are printed.")


def attributes(aws, queue):
    return aws["sqs"].get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]


def waiting(aws, queue):
    return int(attributes(aws, queue)["ApproximateNumberOfMessages"])


def drain(aws, queue):
    bodies = []
    while messages := aws["sqs"].receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages"):
        bodies += [m["Body"] for m in messages]
    return bodies


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(url):
    for _ in range(300):
        try:
            return urllib.request.urlopen(url + "/moto-api/data.json").read()
        except OSError:
            time.sleep(0.1)
    sys.exit("moto does not start")


if __name__ == "__main__":
    main()
