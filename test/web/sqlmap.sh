#!/bin/sh
# Attacks every query parameter of the API with sqlmap (Debian package sqlmap), at
# level 3, against the real binary on loopback. Fails when something is found. It
# takes minutes to hours; ONLY=alerts keeps to the URLs with that word, LIMIT=600 are
# the seconds one URL may take.
set -eu
command -v sqlmap >/dev/null 2>&1 || { echo "sqlmap is missing: apt-get install sqlmap"; exit 1; }
. "$(dirname "$0")/core.sh"
python3 "$(dirname "$0")/urls.py" "$work/openapi.json" "$base" | grep -e "${ONLY:-.}" >"$work/urls"
[ -s "$work/urls" ] || { echo "no URLs"; exit 1; }
tested=0 found=0 late=0 params=0
while read -r url; do
	timeout "${LIMIT:-600}" sqlmap --batch --url "$url" --header "Authorization: Bearer $key" --level 3 --risk 2 --dbms sqlite --skip-waf \
		--param-exclude '^(authorization|user-agent|referer|host)$' --threads 4 --time-sec 2 --technique "${TECHNIQUE:-BEUSTQ}" --ignore-code '*' --disable-coloring --flush-session --output-dir "$work/out" >"$work/one" 2>&1 </dev/null || {
		[ $? -ne 124 ] || late=$((late + 1))
	}
	tested=$((tested + 1))
	n=$(grep -c "does not seem to be injectable" "$work/one" || true)
	params=$((params + n))
	if grep -q "is vulnerable\|identified the following injection" "$work/one"; then
		found=$((found + 1))
		echo "FOUND $url"
		sed -n '/injection point/,$p' "$work/one"
	elif ! grep -q "do not appear to be injectable\|does not seem to be injectable" "$work/one"; then
		late=$((late + 1))
		echo "NOT TESTED $url"
		tail -5 "$work/one"
	fi
done <"$work/urls"
if grep -i "panicked\|sql logic error\|syntax error\|SQLITE" "$work/core.log"; then
	echo "the core's log has faults of SQL or panics"
	found=$((found + 1))
fi
echo "sqlmap: $tested URLs, $params parameters found safe, $found findings, $late not tested to the end"
[ "$found" = 0 ]
