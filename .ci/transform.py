#!/usr/bin/env python3
"""Print the CloudFormation template that a SAM template becomes, without an AWS account.

Usage: .ci/transform.py template.yaml > transformed.json

cfn-lint does not check the IAM actions of a SAM template; it does in the transformed one.
Needs aws-sam-translator, which cfn-lint brings along.
"""

import json
import os
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")  # the translator derives the partition from it

from samtranslator.translator.transform import transform  # noqa: E402
from samtranslator.yaml_helper import yaml_parse  # noqa: E402


class NoManagedPolicies:
    """Stands in for the list of AWS managed policies, which needs an account; the template names none."""

    def load(self):
        return {}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        template = yaml_parse(file)
    for resource in template["Resources"].values():
        # What `sam package` does: the code has to be in S3.
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/code.zip"
    transformed = transform(template, {}, NoManagedPolicies())
    for name, resource in transformed["Resources"].items():
        # CloudFormation looks at it no earlier than when it creates the dashboard. The placeholders stand in strings.
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            try:
                json.loads(resource["Properties"]["DashboardBody"]["Fn::Sub"])
            except ValueError as error:
                sys.exit(f"{name}: DashboardBody is not JSON: {error}")
    json.dump(transformed, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
