# Starts the real binary on loopback with a key of its own, for the scripts beside
# this one; they source it. Sets $base, $key and $work, and ends the core at exit.
# BIN names a binary that is there already.
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
core=
trap '[ -z "$core" ] || kill "$core" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
if [ -z "${BIN:-}" ]; then
	BIN=$work/honeyguide
	(cd "$root" && CGO_ENABLED=0 go build -o "$BIN" ./cmd/honeyguide)
fi
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
base=https://127.0.0.1:$port
key=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
SOC_API_KEY=$key "$BIN" server --data "$work/data" --set api.listen=127.0.0.1:"$port" \
	--set api.limits.read=0 --set api.limits.write=0 --set api.limits.export=0 --set api.limits.ingest=0 --set api.limits.stream=0 --set api.limits.login=0 \
	>"$work/core.log" 2>&1 &
core=$!
for _ in $(seq 100); do
	curl -skf "$base/healthz" >/dev/null && break
	sleep 0.2
done
curl -skf -H "Authorization: Bearer $key" "$base/api/v1/openapi.json" -o "$work/openapi.json" || {
	echo "the core did not come up:"
	tail -20 "$work/core.log"
	exit 1
}
# Something to find: a log-in that failed, as a record of Suricata.
python3 - >"$work/records.json" <<'PY'
import json
for n in range(40):
    print(json.dumps({"timestamp": "2026-11-21T12:%02d:00.000000+0000" % n, "event_type": "alert", "src_ip": "198.51.100.%d" % (n % 5 + 1), "src_port": 4000 + n,
        "dest_ip": "192.0.2.1", "dest_port": 22, "proto": "TCP", "alert": {"signature_id": 2001219, "rev": 1, "signature": "ET SCAN Potential SSH Scan", "category": "Attempted Information Leak", "severity": 2, "action": "allowed", "gid": 1}}))
PY
curl -sk -H "Authorization: Bearer $key" --data-binary @"$work/records.json" "$base/api/v1/ingest?wait=10s" >/dev/null || true
