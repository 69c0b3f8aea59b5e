#!/usr/bin/env python3
"""Check that AWS's own clients, the AWS CLI and boto3, work against the stand-in and print the documented shapes."""

import json
import os
import re
import subprocess
import sys

import boto3
from botocore.exceptions import ClientError

AWS = os.path.join(os.path.dirname(sys.executable), "aws")
OFFICE = "cvpn-endpoint-0a1b2c3d4e5f60001"
FIELD = "cvpn-endpoint-0a1b2c3d4e5f60003"
DAVE = "9067123456-0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c01"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:vpn-outcomes"


def main():
    stand_in = subprocess.Popen(
        ["go", "run", "./cmd/clientvpn", "serve", "--json", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        url = json.loads(stand_in.stdout.readline())["url"]
        os.environ.update(AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="eu-west-1")
        with_cli(url)
        with_boto3(url)
    finally:
        os.killpg(stand_in.pid, 15)
    print("AWS CLI and boto3: as documented")


def cli(url, *words, ok=True):
    done = subprocess.run([AWS, "--endpoint-url", url, "--output", "json", *words], capture_output=True, text=True)
    assert (done.returncode == 0) == ok, (words, done.stderr)
    return json.loads(done.stdout or "{}") if ok else done.stderr


def with_cli(url):
    endpoints = cli(url, "ec2", "describe-client-vpn-endpoints")["ClientVpnEndpoints"]
    assert [e["ClientVpnEndpointId"] for e in endpoints][0] == OFFICE and len(endpoints) == 3, endpoints

    connections = cli(url, "ec2", "describe-client-vpn-connections", "--client-vpn-endpoint-id", OFFICE)["Connections"]
    alice = [c for c in connections if c["Username"] == "alice@example.com"]
    assert len(alice) == 2 and all(c["Status"]["Code"] == "active" and c["ConnectionEndTime"] == "-" for c in alice), connections

    terminate = ("ec2", "terminate-client-vpn-connections", "--client-vpn-endpoint-id", OFFICE)
    refused = cli(url, *terminate, "--username", "alice@example.com", "--dry-run", ok=False)
    assert "(DryRunOperation)" in refused and "Request would have succeeded, but DryRun flag is set." in refused, refused

    answer = cli(url, *terminate, "--username", "alice@example.com")
    assert answer["ClientVpnEndpointId"] == OFFICE and answer["Username"] == "alice@example.com", answer
    assert {s["ConnectionId"] for s in answer["ConnectionStatuses"]} == {c["ConnectionId"] for c in alice}, answer
    for status in answer["ConnectionStatuses"]:
        assert status["PreviousStatus"] == {"Code": "active"} and status["CurrentStatus"] == {"Code": "terminating"}, answer

    assert "InvalidClientVpnConnection.UserNotFound" in cli(url, *terminate, "--username", "alice@example.com", ok=False)
    assert "InvalidClientVpnConnection.IdNotFound" in cli(url, *terminate, "--connection-id", "cvpn-connection-00000000000000000", ok=False)
    listed = cli(url, "dynamodb", "scan", "--table-name", "vpn-keepout", "--consistent-read")
    assert listed["Items"] == [] and listed["Count"] == 0, listed
    assert cli(url, "sns", "publish", "--topic-arn", TOPIC, "--subject", "hello", "--message", "{}")["MessageId"]


def with_boto3(url):
    ec2 = boto3.client("ec2", endpoint_url=url)
    pages = ec2.get_paginator("describe_client_vpn_connections").paginate(ClientVpnEndpointId=FIELD, PaginationConfig={"PageSize": 5})
    carol = next(c for page in pages for c in page["Connections"] if c["CommonName"] == "carol.vpn.example.com")
    assert "Username" not in carol, carol
    answer = ec2.terminate_client_vpn_connections(ClientVpnEndpointId=FIELD, ConnectionId=carol["ConnectionId"])
    assert answer["ConnectionStatuses"][0]["CurrentStatus"]["Code"] == "terminating" and "Username" not in answer, answer
    people = boto3.client("identitystore", endpoint_url=url)
    dave = people.describe_user(IdentityStoreId="d-9067123456", UserId=DAVE)
    assert dave["UserName"] == "dave" and dave["UserStatus"] == "DISABLED" and dave["Emails"][0]["Value"] == "dave@example.com", dave
    try:
        people.describe_user(IdentityStoreId="d-9067123456", UserId=DAVE[:-1] + "9")
        raise AssertionError("an unknown user was described")
    except people.exceptions.ResourceNotFoundException:
        pass
    try:
        ec2.describe_client_vpn_connections(ClientVpnEndpointId="cvpn-endpoint-00000000000000000")
        raise AssertionError("an unknown endpoint was described")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidClientVpnEndpointId.NotFound", error


if __name__ == "__main__":
    main()
