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


def transformed(file, code):
    """Return the template as CloudFormation has it. code has, by function, where its zip is."""
    with open(file, encoding="utf-8") as f:
        template = yaml_parse(f)
    for name, resource in template["Resources"].items():
        # What `sam package` does: the code has to be in S3.
        if resource["Type"] == "AWS::Serverless::Function" and "InlineCode" not in resource["Properties"]:
            resource["Properties"]["CodeUri"] = code.get(name, "s3://bucket/code.zip")
    result = transform(template, {}, NoManagedPolicies())
    for name, resource in result["Resources"].items():
        # CloudFormation looks at it no earlier than when it creates the dashboard. The placeholders are in strings.
        if resource["Type"] == "AWS::CloudWatch::Dashboard":
            try:
                json.loads(resource["Properties"]["DashboardBody"]["Fn::Sub"][0])
            except ValueError as error:
                sys.exit(f"{name}: DashboardBody is not JSON: {error}")
    return result


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    json.dump(transformed(sys.argv[1], {}), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
