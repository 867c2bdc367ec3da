#!/bin/sh
# Fails if generated files are not what "go generate" writes, or a go.mod is not
# what "go mod tidy" writes. Usage: tools/verify.sh MODULE...
#
# It compares the files before and after, rather than with the last commit, so
# that it gives the same answer in the middle of a change as in CI. A file that
# was out of date stays rewritten: it is the fix.
set -eu
cd "$(dirname "$0")/.."

# Every file that is, or could be, committed, with a hash of its content.
files() {
	git ls-files --cached --others --exclude-standard | sort -u | while IFS= read -r file; do
		[ ! -f "$file" ] || printf '%s\n' "$file"
	done >"$tmp/names"
	git hash-object --no-filters --stdin-paths <"$tmp/names" | paste -d ' ' - "$tmp/names"
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

failed=0
files >"$tmp/before"
go generate ./...
files >"$tmp/after"
if ! cmp -s "$tmp/before" "$tmp/after"; then
	echo "verify: make generate changed, added or removed these files; commit them:" >&2
	diff "$tmp/before" "$tmp/after" | sed -n 's/^[<>] [0-9a-f]* /  /p' | sort -u >&2
	git --no-pager diff --stat >&2
	failed=1
fi

for module in "$@"; do
	if ! go -C "$module" mod tidy -diff; then
		echo "verify: $module/go.mod or its go.sum is not tidy: run go -C $module mod tidy" >&2
		failed=1
	fi
done
[ "$failed" = 0 ] && echo "verify: generated files and go.mod files are up to date"
exit "$failed"
