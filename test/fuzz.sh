#!/bin/sh
# Runs every fuzz target of the module for the given time each (default 20s) and
# prints a line about each: how it ended, inputs run, new interesting ones, total
# kept, time. A failure does not stop the rest; the script fails at the end. What
# made a target fail stays in its testdata/fuzz and is run by every go test from
# then on.
#
#   test/fuzz.sh [--parallel N] [TIME [PATTERN]]
#
# PATTERN (a grep -E pattern) picks targets by "folder FuzzName"; N is the number
# of workers of each target, otherwise one per processor.
set -eu
workers=""
if [ "${1:-}" = --parallel ]; then
	workers="-parallel=$2"
	shift 2
fi
time=${1:-20s}
pattern=${2:-.}
log=$(mktemp)
trap 'rm -f "$log" "$log.all"' EXIT INT TERM
began=$(date +%s)
failed=0
count=0

grep -rlE '^func Fuzz' --include='*_test.go' internal | sort | while read -r file; do
	grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | sed "s|^func |$(dirname "$file") |"
done | sort -u | grep -E -- "$pattern" >"$log.all" || true

while read -r dir target; do
	count=$((count + 1))
	from=$(date +%s)
	word=ok
	# shellcheck disable=SC2086 # workers is one word or none
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" $workers "./$dir" </dev/null >"$log" 2>&1 || word=FAIL
	[ "$word" = ok ] || failed=$((failed + 1))
	last=$(grep 'execs: ' "$log" | tail -n 1)
	execs=$(printf '%s\n' "$last" | sed -n 's/.*execs: \([0-9]*\).*/\1/p')
	new=$(printf '%s\n' "$last" | sed -n 's/.*new interesting: \([0-9]*\) (total: \([0-9]*\)).*/\1 new, \2 kept/p')
	printf '%-4s %-44s %-20s %10s execs, %s, %ds\n' "$word" "$dir" "$target" "${execs:-0}" "${new:-nothing new}" "$(($(date +%s) - from))"
	[ "$word" = ok ] || sed 's/^/     /' "$log" | grep -v 'fuzz: elapsed' | head -n 60
done <"$log.all"
echo "fuzz: $count targets, $failed failed, $(($(date +%s) - began))s in all"
[ "$failed" = 0 ]
