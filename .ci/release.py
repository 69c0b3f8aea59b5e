#!/usr/bin/env python3
"""Make what a release consists of: the functions' zips, a template that names them, an SBOM, checksums, and the operator's tool.

Usage: .ci/release.py v1.2.3 folder [--tool] [--twice]

The template is plain CloudFormation. It asks for the bucket that holds the zips, as Lambda wants one of the function's own Region.
A zip's name has its SHA-256, so new code is a new version of the client connect handler. --tool builds the operator's tool for each
system. --twice builds the functions again, from a copy in another folder, and fails if a byte differs.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile

import transform

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SYSTEMS = [("linux", "amd64"), ("linux", "arm64"), ("darwin", "amd64"), ("darwin", "arm64"), ("windows", "amd64")]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("version")
    parser.add_argument("folder")
    parser.add_argument("--tool", action="store_true")
    parser.add_argument("--twice", action="store_true")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    zips, modules = build(ROOT)
    if options.twice:
        same_elsewhere(zips)
    names = {}
    for function, content in zips.items():
        names[function] = f"{function.lower()}-{hashlib.sha256(content).hexdigest()[:16]}.zip"
        write(options.folder, names[function], content)
    write(options.folder, "template.json", template(names, options.version))
    write(options.folder, "sbom.cdx.json", sbom(modules, options.version))
    for name in ("member-role.yaml", "forward-events.yaml"):
        shutil.copy(os.path.join(ROOT, name), options.folder)
    if options.tool:
        tool(options.folder)
    sums = "".join(f"{hashlib.sha256(open(os.path.join(options.folder, n), 'rb').read()).hexdigest()}  {n}\n"
                   for n in sorted(os.listdir(options.folder)) if n != "SHA256SUMS")
    write(options.folder, "SHA256SUMS", sums.encode())
    print(sums, end="")


def write(folder, name, content):
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)


def functions():
    with open(os.path.join(ROOT, "template.yaml"), encoding="utf-8") as file:
        resources = transform.yaml_parse(file)["Resources"]
    return [n for n, r in resources.items() if r.get("Metadata", {}).get("BuildMethod") == "makefile"]


def build(root):
    """Return the zip of each function, and the modules that are linked into it, as `sam build` builds them in this folder."""
    zips, modules = {}, {}
    for function in functions():
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["make", "--silent", "-C", root, f"build-{function}", f"ARTIFACTS_DIR={folder}"], check=True)
            zips[function] = pack(folder)
            modules[function] = linked(os.path.join(folder, "bootstrap"))
    return zips, modules


def pack(folder):
    """Zip a folder's files so that the same files are the same bytes: sorted, without times, owners and permissions of this machine."""
    with tempfile.TemporaryFile() as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
            for name in sorted(os.listdir(folder)):
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.create_system, info.compress_type = 3, zipfile.ZIP_DEFLATED
                info.external_attr = (0o100755 if name == "bootstrap" else 0o100644) << 16
                with open(os.path.join(folder, name), "rb") as file:
                    z.writestr(info, file.read())
        out.seek(0)
        return out.read()


def same_elsewhere(zips):
    """Build a copy of what is under version control in another folder, and compare."""
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "another place")
        for name in subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0"):
            if name and os.path.exists(os.path.join(ROOT, name)):
                os.makedirs(os.path.dirname(os.path.join(copy, name)), exist_ok=True)
                shutil.copy(os.path.join(ROOT, name), os.path.join(copy, name))
        again, _ = build(copy)
    different = [f for f in zips if zips[f] != again[f]]
    if different:
        sys.exit(f"built in another folder, {', '.join(different)} differs")
    print(f"Two builds in two folders give the same bytes: {', '.join(sorted(zips))}.", file=sys.stderr)


def linked(binary):
    """Return the Go version and the modules of a binary, with their versions and hashes."""
    said = subprocess.run(["go", "version", "-m", binary], capture_output=True, text=True, check=True).stdout
    lines = [line.split("\t") for line in said.splitlines()]
    return lines[0][0].rsplit(" ", 1)[1], sorted((f[2], f[3], f[4]) for f in lines if len(f) > 4 and f[1] == "dep")


def sbom(modules, version):
    """CycloneDX 1.6, of all functions together."""
    seen = {(("stdlib", v), "") for v, _ in modules.values()} | {((p, v), h) for _, deps in modules.values() for p, v, h in deps}
    components = [{"type": "library", "name": p, "version": v, "bom-ref": f"pkg:golang/{p}@{v}", "purl": f"pkg:golang/{p}@{v}"}
                  | ({"properties": [{"name": "go.sum", "value": h}]} if h else {}) for (p, v), h in sorted(seen)]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components,
                "metadata": {"component": {"type": "application", "name": "clientvpn-responder", "version": version, "bom-ref": "clientvpn-responder"}}}
    return (json.dumps(document, indent=1) + "\n").encode()


def template(names, version):
    """The transformed template, whose functions are in the bucket that a parameter names."""
    code = {f: {"Bucket": {"Ref": "ArtifactBucket"}, "Key": n} for f, n in names.items()}
    document = transform.transformed(os.path.join(ROOT, "template.yaml"), code)
    document["Parameters"]["ArtifactBucket"] = {
        "Type": "String", "AllowedPattern": "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        "Description": "Bucket in this Region with the release's zips at its top level."}
    document["Description"] = f"{document['Description']} Release {version}."
    return (json.dumps(document, indent=1) + "\n").encode()


def tool(folder):
    for system, machine in SYSTEMS:
        name = f"clientvpn-{system}-{machine}" + (".exe" if system == "windows" else "")
        subprocess.run(["go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", os.path.join(os.path.abspath(folder), name), "./cmd/clientvpn"],
                       cwd=ROOT, env=os.environ | {"CGO_ENABLED": "0", "GOOS": system, "GOARCH": machine}, check=True)


if __name__ == "__main__":
    main()
