#!/bin/sh
# Runs every fuzz target of the module for the given time each (default 20s).
set -eu
time=${1:-20s}
grep -rlE '^func Fuzz' --include='*_test.go' internal | sort | while read -r file; do
	dir=$(dirname "$file")
	grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | sed 's/func //' | sort -u | while read -r target; do
		echo "== $dir $target"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "./$dir" </dev/null
	done
done
