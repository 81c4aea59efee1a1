"""Lists every GET of an OpenAPI file with all its query parameters set.

usage: urls.py openapi.json base
"""
import json, sys, urllib.parse

doc, base = json.load(open(sys.argv[1])), sys.argv[2]
ids = {"alerts": "A-1", "incidents": "I-1", "attackers": "198.51.100.1", "runs": "R-1", "suppressions": "SUP-1"}


def example(p):
    s = p.get("schema", {})
    s = s.get("items", s)
    if s.get("enum"):
        return s["enum"][0]
    if s.get("format") == "date-time":
        return "2026-11-20T00:00:00Z"
    return {"integer": "1", "boolean": "true", "number": "1"}.get(s.get("type"), "1")


for path, ops in sorted(doc["paths"].items()):
    op = ops.get("get")
    if not op or path.endswith("/stream"):
        continue
    words = path.split("/")
    for n, word in enumerate(words):
        if word.startswith("{"):
            words[n] = ids.get(words[n - 1], "1")
    query = [(p["name"], example(p)) for p in op.get("parameters", []) if p["in"] == "query"]
    if len(sys.argv) > 3 or query:
        print(base + "/".join(words) + ("?" + urllib.parse.urlencode(query) if query else ""))
