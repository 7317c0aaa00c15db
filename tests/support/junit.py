"""Reads JUnit XML from stdin, holds it against the shape of Jenkins' junit-10.xsd, and prints its
cases as JSON. What is wrong goes to stderr, and the exit code is 1."""

import json
import sys
import xml.etree.ElementTree as etree

ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "disabled", "errors"},
    "testsuite": {
        "name", "tests", "failures", "errors", "time", "disabled", "skipped", "timestamp",
        "hostname", "id", "package", "file", "log", "url", "version",
    },
    "testcase": {"name", "assertions", "time", "classname", "status", "class", "file", "line",
                 "group", "url"},
    "properties": set(),
    "property": {"name", "value"},
    "failure": {"message", "type"},
    "error": {"message", "type"},
    "system-out": set(),
}
REQUIRED = {
    "testsuite": {"name", "tests"},
    "testcase": {"name"},
    "property": {"name", "value"},
}
CHILDREN = {
    "testsuites": {"testsuite"},
    "testsuite": {"properties", "testcase", "system-out"},
    "testcase": {"failure", "error", "system-out"},
    "properties": {"property"},
}


def check(element, problems):
    known = ATTRIBUTES.get(element.tag)
    if known is None:
        problems.append(f"unknown element {element.tag}")
        return
    for name in set(element.attrib) - known:
        problems.append(f"{element.tag} has no attribute {name}")
    for name in REQUIRED.get(element.tag, set()) - set(element.attrib):
        problems.append(f"{element.tag} lacks {name}")
    for child in element:
        if child.tag not in CHILDREN.get(element.tag, set()):
            problems.append(f"{child.tag} within {element.tag}")
        check(child, problems)


root = etree.fromstring(sys.stdin.buffer.read())
problems = [] if root.tag == "testsuites" else [f"the root is {root.tag}"]
check(root, problems)
cases = root.findall("./testsuite/testcase")
for holder in [root, *root.findall("testsuite")]:
    for attribute, count in [
        ("tests", len(cases)),
        ("failures", len(root.findall(".//failure"))),
        ("errors", len(root.findall(".//error"))),
    ]:
        if holder.get(attribute) != str(count):
            problems.append(f"{holder.tag} {attribute}={holder.get(attribute)}, counted {count}")
    float(holder.get("time"))
names = [(case.get("classname"), case.get("name")) for case in cases]
if len(set(names)) != len(names):
    problems.append(f"two cases of one name: {names}")
if problems:
    sys.exit("\n".join(problems))


def told(case):
    for kind in ("failure", "error"):
        found = case.find(kind)
        if found is not None:
            return {"is": kind, "message": found.get("message"), "text": found.text}
    return {"is": "passed", "message": None, "text": case.findtext("system-out")}


json.dump(
    {
        "suite": root.find("testsuite").get("name"),
        "properties": {one.get("name"): one.get("value") for one in root.iter("property")},
        "cases": [
            {"class": case.get("classname"), "name": case.get("name"), **told(case)}
            for case in cases
        ],
    },
    sys.stdout,
)
