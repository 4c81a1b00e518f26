#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes what an image is made of, as SPDX 2.3 JSON: candor, Debian's packages and the wheels that LibTorch is from.

    tools/sbom.py --dpkg-status /var/lib/dpkg/status --requirements tools/torch-requirements.txt --out sbom.spdx.json

The time in it is SOURCE_DATE_EPOCH if that is set, so that equal images have equal files.
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent


def installed_packages(status: str) -> list[dict[str, str]]:
    """The paragraphs of dpkg's status file that stand for installed packages, in its order."""
    packages = []
    for paragraph in status.split("\n\n"):
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
        if fields.get("Status", "").split()[-1:] == ["installed"]:
            packages.append(fields)
    return packages


def pinned_wheels(requirements: str) -> list[tuple[str, str, str]]:
    """(name, version, SHA-256) of each line of a requirements file with hashes."""
    return re.findall(r"^([a-z0-9-]+)==([0-9.]+) --hash=sha256:([0-9a-f]{64})$", requirements, re.MULTILINE)


def package(kind: str, name: str, version: str, purl: str, **more: object) -> dict[str, object]:
    return {
        "SPDXID": f"SPDXRef-{kind}-{re.sub('[^A-Za-z0-9.-]', '-plus-', name)}",
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "filesAnalyzed": False,
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl}],
        **more,
    }


def debian_package(fields: dict[str, str]) -> dict[str, object]:
    name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
    quoted = f"{urllib.parse.quote(name, safe='')}@{urllib.parse.quote(version, safe='')}"
    return package("deb", name, version, f"pkg:deb/debian/{quoted}?arch={architecture}&distro=debian-12",
                   supplier=f"Person: {fields['Maintainer']}")


def wheel(name: str, version: str, sha256: str) -> dict[str, object]:
    return package("pypi", name, version, f"pkg:pypi/{name}@{version}",
                   checksums=[{"algorithm": "SHA256", "checksumValue": sha256}])


def document(status: str, requirements: list[str]) -> dict[str, object]:
    version = re.search(r"project\(candor VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    candor = package("candor", "candor", version, f"pkg:generic/candor@{version}", licenseDeclared="Apache-2.0")
    parts = [debian_package(fields) for fields in installed_packages(status)]
    parts += [wheel(*pin) for text in requirements for pin in pinned_wheels(text)]
    content = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    created = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())), datetime.timezone.utc)
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"candor-{version}",
        "documentNamespace": f"urn:candor:sbom:{version}:{content}",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": [f"Tool: candor-sbom-{version}"]},
        "packages": [candor, *parts],
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": candor["SPDXID"]},
            *({"spdxElementId": candor["SPDXID"], "relationshipType": "DEPENDS_ON", "relatedSpdxElement": part["SPDXID"]}
              for part in parts),
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dpkg-status", type=pathlib.Path, required=True, help="dpkg's status file of the image")
    parser.add_argument("--requirements", type=pathlib.Path, nargs="+", required=True, help="pinned wheels in the image")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    made = document(args.dpkg_status.read_text(), [path.read_text() for path in args.requirements])
    args.out.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
