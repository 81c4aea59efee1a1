#!/bin/sh
# Goes through the console and the API with wapiti (Debian package wapiti) against
# the real binary on loopback, logged in with a key. Fails when it finds something.
set -eu
command -v wapiti >/dev/null 2>&1 || { echo "wapiti is missing: apt-get install wapiti"; exit 1; }
. "$(dirname "$0")/core.sh"
set --
for url in $(python3 "$(dirname "$0")/urls.py" "$work/openapi.json" "$base" all | grep -e "${ONLY:-.}"); do
	set -- "$@" --start "$url"
done
# csp, cookieflags and http_headers look at headers; the rest attack. buster and the
# like guess names and are left out: there is a list of all routes.
wapiti --url "$base/" "$@" --scope domain --header "Authorization: Bearer $key" --verify-ssl 0 --flush-session --store-session "$work" --no-bugreport \
	--module "${MODULES:-backup,blindsql,cookieflags,crlf,csp,csrf,exec,file,htaccess,http_headers,methods,permanentxss,redirect,shellshock,sql,ssrf,xss,xxe}" \
	--max-scan-time "${LIMIT:-3600}" --max-attack-time "${MODULE_LIMIT:-600}" --format json --output "$work/report.json" --level 2 >"$work/wapiti.log" 2>&1 </dev/null || { tail -20 "$work/wapiti.log"; exit 1; }
python3 - "$work/report.json" <<'PY'
import json, sys
r = json.load(open(sys.argv[1]))
n = 0
for group in ("vulnerabilities", "anomalies"):
    for kind, items in r[group].items():
        for i in items:
            if "X-XSS-Protection" in i.get("info", ""):
                continue  # browsers have given it up; where it works it does harm
            n += 1
            print(group, kind, i.get("method"), i.get("path"), i.get("parameter"), i.get("info"))
print("wapiti:", n, "findings")
sys.exit(1 if n else 0)
PY
# A run that asked next to nothing has shown nothing.
asked=$(curl -sk -H "Authorization: Bearer $key" "$base/metrics" | awk '/^honeyguide_api_requests_total.*api\/v1/ { n += $NF } END { print n + 0 }')
echo "wapiti: $asked requests to the API"
[ "$asked" -ge "${LEAST:-1000}" ] || exit 1
if grep -i "panicked" "$work/core.log"; then
	exit 1
fi
