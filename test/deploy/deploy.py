#!/usr/bin/env python3
"""Deploys for the first time as a newcomer does, with the SAM CLI, against moto: no AWS account, no network.

Usage: test/deploy/deploy.py path/to/sam

Run it after `sam build`. It checks these things:
- `sam build` refuses a policy that cannot be read, or that decides its cases otherwise.
- `sam deploy --guided` in a terminal, with Enter at each question, reaches the change set.
- Mode=enforce in samconfig.toml is what each later `sam deploy` deploys.
- `sam deploy` in a fresh clone, without `sam build`, refuses to upload the source tree.
- The step "Deploy" of .github/workflows/deploy.yml works with the workflow's own environment, keeps Mode as it is deployed,
  accepts values with blanks, and prints no parameter.
"""

import contextlib
import json
import os
import pty
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import boto3
import yaml
from samtranslator.yaml_helper import yaml_parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
REGION, STACK = "eu-west-1", "clientvpn-responder"
SECRET = "Ask the night watch."


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sam = os.path.abspath(sys.argv[1])
    # What a newcomer's machine has: credentials, and nothing else that the SAM CLI would read.
    env = {"PATH": os.path.dirname(sam) + os.pathsep + os.environ["PATH"], "HOME": tempfile.mkdtemp(), "SAM_CLI_TELEMETRY": "0",
           "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    broken_policy()
    for check in (without_build, guided, workflow):
        with tempfile.TemporaryDirectory() as folder, moto() as url:
            shutil.copytree(os.path.join(ROOT, ".aws-sam", "build"), os.path.join(folder, ".aws-sam", "build"), symlinks=True)
            shutil.copy(os.path.join(ROOT, "samconfig.toml"), folder)
            check(folder, env | {"AWS_ENDPOINT_URL": url})


@contextlib.contextmanager
def moto():
    """Run a moto of its own, with the SAM CLI's stack for its bucket: moto loses the tags of a stack that a change set makes."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    process = subprocess.Popen([os.path.join(os.path.dirname(sys.executable), "moto_server"), "-H", "127.0.0.1", "-p", str(port)],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://localhost:{port}"  # moto reads templates from a bucket under this name only
    try:
        wait_for(port)
        template = {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}, "Outputs": {"SourceBucket": {"Value": {"Ref": "Bucket"}}}}
        client(url).create_stack(StackName="aws-sam-cli-managed-default", TemplateBody=json.dumps(template),
                                 Tags=[{"Key": "ManagedStackSource", "Value": "AwsSamCli"}])
        yield url
    finally:
        process.kill()
        process.wait()


def wait_for(port):
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    sys.exit("moto did not start")


def client(url):
    return boto3.client("cloudformation", endpoint_url=url, region_name=REGION, aws_access_key_id="test", aws_secret_access_key="test")


def broken_policy():
    """`sam build` runs these targets."""
    with open(os.path.join(ROOT, "policy.yaml"), encoding="utf-8") as file:
        shipped = file.read()
    for text, problem in ((shipped + "excempt: []\n", "excempt"), (shipped.replace("example.com", "other.example"), "cases differ")):
        with tempfile.TemporaryDirectory() as folder:
            policy = os.path.join(folder, "policy.yaml")
            with open(policy, "w", encoding="utf-8") as file:
                file.write(text)
            for function in ("Responder", "Connect"):
                done = subprocess.run(["make", "-C", ROOT, f"build-{function}", f"POLICY={policy}", f"ARTIFACTS_DIR={folder}/out"],
                                      capture_output=True, text=True)
                if done.returncode == 0 or problem not in done.stderr or os.path.exists(f"{folder}/out"):
                    sys.exit(f"build-{function} takes a broken policy: {done.returncode}\n{done.stdout}{done.stderr}")
    print("sam build refuses a broken policy, and one that its cases contradict.")


def without_build(folder, env):
    shutil.rmtree(os.path.join(folder, ".aws-sam"))
    shutil.copy(os.path.join(ROOT, "template.yaml"), folder)
    done = subprocess.run(["sam", "deploy"], cwd=folder, env=env | {"AWS_DEFAULT_REGION": REGION}, capture_output=True, text=True)
    if done.returncode == 0 or ".aws-sam/build/template.yaml" not in done.stdout + done.stderr:
        sys.exit(f"sam deploy without sam build: {done.returncode}\n{done.stdout}{done.stderr}")
    print("sam deploy without sam build is refused.")


def guided(folder, env):
    """Answer each question with Enter, as long as a question is asked."""
    env = env | {"AWS_DEFAULT_REGION": REGION}
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe("sam", ["sam", "deploy", "--guided"], env)
    said, answered = "", []
    while True:
        ready, _, _ = select.select([terminal], [], [], 120)
        try:
            more = os.read(terminal, 65536).decode(errors="replace") if ready else ""
        except OSError:  # the other side has closed
            break
        if not more:
            break
        said += more
        question = said.splitlines()[-1] if said else ""
        if re.search(r"\[[^\]]*\]: ?$|: ?$", question) and question not in ("",):
            answered.append(question.strip())
            if len(answered) > 3 and len(set(answered[-4:])) == 1:
                sys.exit(f"sam deploy --guided asks for ever: {question.strip()}\n{said[-2000:]}")
            os.write(terminal, b"\n")
    os.waitpid(pid, 0)
    if "Deploy this changeset?" not in said:
        sys.exit(f"sam deploy --guided did not reach the change set:\n{said[-4000:]}")
    print(f"sam deploy --guided reaches the change set after {len(answered)} questions.")
    enforced(folder, env)


def enforced(folder, env):
    """Change Mode where `--guided` has written it, as README.md says, and deploy twice."""
    config = os.path.join(folder, "samconfig.toml")
    with open(config, encoding="utf-8") as file:
        written = file.read()
    with open(config, "w", encoding="utf-8") as file:
        file.write(written.replace('Mode=\\"dry-run\\"', 'Mode=\\"enforce\\"'))
    for_moto(os.path.join(folder, ".aws-sam", "build", "template.yaml"))
    for _ in range(2):
        done = subprocess.run(["sam", "deploy", "--no-confirm-changeset", "--no-execute-changeset"], cwd=folder, env=env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        parameters = parameters_of(done, env)
        if parameters.get("Mode") != "enforce":
            sys.exit(f"sam deploy after Mode was changed: {json.dumps(parameters)}\n{written}\n{done.stdout[-3000:]}")
    print("Mode=enforce in samconfig.toml stays for each later sam deploy.")


def parameters_of(done, env):
    """Return the parameters of the change set that `sam deploy` has made."""
    name = re.search(r"changeSet/([\w-]+)/", done.stdout)
    if done.returncode or not name:
        sys.exit(f"sam deploy fails with {done.returncode}:\n{done.stdout[-4000:]}")
    change = client(env["AWS_ENDPOINT_URL"]).describe_change_set(StackName=STACK, ChangeSetName=name[1])
    return {p["ParameterKey"]: p["ParameterValue"] for p in change["Parameters"]}


def for_moto(file):
    """Leave only the parameters, with one resource: moto does not transform functions, nor describe numbers."""
    with open(file, encoding="utf-8") as f:
        parameters = yaml_parse(f)["Parameters"]
    for parameter in parameters.values():
        parameter["Default"] = str(parameter["Default"])
    template = {"Parameters": parameters, "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}
    with open(file, "w", encoding="utf-8") as f:
        json.dump(template, f)


def workflow(folder, env):
    """Run the step as GitHub would, up to the change set, with the workflow's own defaults."""
    with open(os.path.join(ROOT, ".github", "workflows", "deploy.yml"), encoding="utf-8") as file:
        document = yaml.safe_load(file)
    job = document["jobs"]["deploy"]
    [step] = [s for s in job["steps"] if s.get("name") == "Deploy"]
    with open(os.path.join(folder, "samconfig.toml"), "a", encoding="utf-8") as file:
        file.write("no_execute_changeset = true\n")  # moto would never say that it is done
    built = os.path.join(folder, ".aws-sam", "build", "template.yaml")
    for_moto(built)
    # What a step does not name, the SAM CLI leaves as it is deployed.
    for mode, want in ((document[True]["workflow_dispatch"]["inputs"]["mode"]["default"], None),  # YAML 1.1 reads "on" as true
                       ("enforce", "enforce")):
        parameters, said = run_step(job, step, mode, folder, env)
        if parameters.get("Mode") != want or parameters.get("KeepOutMessage") != SECRET:
            sys.exit(f"the workflow with mode {mode}: {json.dumps(parameters)}\n{said[-4000:]}")
        if SECRET in said or "security@example.com" in said:
            sys.exit(f"the workflow prints parameters:\n{said}")
        print(f"The workflow with mode {mode} sets Mode to {want or 'nothing'}, and prints no parameter.")


def run_step(job, step, mode, folder, env):
    """Run the step with the variables that the repository has, and return the parameters of its change set."""
    values = {"vars.AWS_REGION": REGION, "inputs.mode": mode,
              "vars.PARAMETERS": f"KeepOutMessage={SECRET}\nAlertEmail=security@example.com\n"}
    given = {}
    for name, value in (job["env"] | step["env"]).items():
        if name not in ("AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"):  # static credentials stand in for the role
            given[name] = re.sub(r"\$\{\{ *([\w.]+) *\}\}", lambda m: values.get(m[1], ""), str(value))
    done = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], cwd=folder, env=env | given,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    return parameters_of(done, env), done.stdout


if __name__ == "__main__":
    main()
