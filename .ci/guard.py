#!/usr/bin/env python3
"""AWS Control Tower's proactive rules, by cfn-guard, against the templates as an organisation with such rules deploys them.

Usage: .ci/guard.py folder-of-@cdklabs/cdk-validator-cfnguard template.json|template.yaml ...

The rules know no conditions and no parameters, so both are resolved first: with everything on that the rules ask for, and with every
part that a parameter adds. .ci/guard.yaml has what is passed over, and why. It fails on everything else, and on a
reason that is no longer needed.
"""

import json
import os
import platform
import re
import stat
import subprocess
import sys
import tempfile

import yaml
from samtranslator.yaml_helper import yaml_parse

ACCOUNT, REGION = "111122223333", "eu-west-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d"
PARAMETERS = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::StackName": "stack", "AWS::URLSuffix": "amazonaws.com",
              "DataKmsKeyArn": KEY, "SubnetIds": ["subnet-0a", "subnet-0b"], "SecurityGroupIds": ["sg-0a"], "ReservedConcurrency": "5", "KeepOut": "on",
              "Doors": "[]", "EntraTenantId": "t", "EntraClientId": "c", "AlertEmail": "security@example.com", "ChatTopic": "yes",
              "ForwarderBusName": "identity", "IdentityStoreId": "d-1234567890", "OrganizationId": "o-a1b2c3d4e5"}
GONE = object()


class Resolver:
    """Replaces what depends on parameters only. References to resources stay."""

    def __init__(self, template):
        self.conditions = template.get("Conditions", {})
        self.parameters = {n: p.get("Default", "") for n, p in template.get("Parameters", {}).items()} | PARAMETERS

    def holds(self, name):
        return self.value(self.conditions[name])

    def value(self, node):
        if isinstance(node, list):
            return [v for v in map(self.value, node) if v is not GONE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(name, argument)] = node.items()
            if name == "Fn::If":
                return self.value(argument[1] if self.holds(argument[0]) else argument[2])
            if name == "Condition" and isinstance(argument, str):
                return self.holds(argument)
            if name == "Ref":
                return GONE if argument == "AWS::NoValue" else self.parameters.get(argument, node)
            pure = {"Fn::Equals": lambda a: str(a[0]) == str(a[1]), "Fn::Not": lambda a: not a[0], "Fn::And": all, "Fn::Or": any,
                    "Fn::Join": self.join, "Fn::Split": self.split, "Fn::Select": lambda a: a[1][int(a[0])]}
            if name in pure:
                return pure[name](self.value(argument))
        return {k: v for k, v in ((k, self.value(v)) for k, v in node.items()) if v is not GONE}

    @staticmethod
    def join(argument):
        separator, words = argument
        if isinstance(words, str):
            words = words.split(",")
        return separator.join(words) if all(isinstance(w, str) for w in words) else {"Fn::Join": argument}

    @staticmethod
    def split(argument):
        return argument[1].split(argument[0]) if isinstance(argument[1], str) else {"Fn::Split": argument}


def resolved(file):
    with open(file, encoding="utf-8") as f:
        template = yaml_parse(f.read())
    resolver = Resolver(template)
    resources = {n: r for n, r in template["Resources"].items() if "Condition" not in r or resolver.holds(r["Condition"])}
    return {"Resources": {n: resolver.value({k: v for k, v in r.items() if k != "Condition"}) for n, r in resources.items()}}


def failures(package, templates):
    """Yield each rule that does not hold, and the resource."""
    system = {"Linux": "ubuntu", "Darwin": "macos"}[platform.system()]
    guard = os.path.join(package, "bin", system, platform.machine().replace("arm64", "aarch64"), "cfn-guard")
    os.chmod(guard, os.stat(guard).st_mode | stat.S_IXUSR)
    for template in templates:
        with tempfile.NamedTemporaryFile("w", suffix=".json") as data:
            json.dump(resolved(template), data)
            data.flush()
            done = subprocess.run([guard, "validate", "--data", data.name, "--rules", os.path.join(package, "rules", "control-tower", "cfn-guard"),
                                   "--structured", "--output-format", "json", "--show-summary", "none"], capture_output=True, text=True)
        try:
            [report] = json.loads(done.stdout)
        except ValueError:
            sys.exit(f"cfn-guard says of {template}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        if not report["compliant"] and not report["not_compliant"]:
            sys.exit(f"no rule was asked about {template}")
        for entry in report["not_compliant"]:
            text = json.dumps(entry)
            for resource in sorted(set(re.findall(r"/Resources/(\w+)", text))):
                yield entry["Rule"]["name"], resource, (re.findall(r"CT\.[A-Z0-9]+\.PR\.\d+[^\\\"]*", text) or [""])[0]


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    with open(os.path.join(os.path.dirname(__file__), "guard.yaml"), encoding="utf-8") as file:
        passed = {(rule, resource): because for rule, entry in yaml.safe_load(file).items() for resource, because in entry.items()}
    wrong, used = [], set()
    for rule, resource, words in failures(sys.argv[1], sys.argv[2:]):
        if (rule, resource) in passed:
            used.add((rule, resource))
        else:
            wrong.append(f"{resource}: {rule} {words}")
    wrong += [f"{resource}: {rule} holds; remove it from .ci/guard.yaml" for rule, resource in passed.keys() - used]
    for line in sorted(set(wrong)):
        print(line, file=sys.stderr)
    print(f"Control Tower's rules: {len(used)} passed over with a reason, {len(set(wrong))} wrong.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
