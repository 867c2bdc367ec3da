#!/bin/sh
# Looks up what we call in Go's vulnerability database. A machine that cannot
# reach the database has not been told that there is nothing: that is said, and
# is no failure, as lint must work without a network.
set -eu
cd "$(dirname "$0")/.."

vuln=$(go run -C tools ./build -want vuln -print-path)
out=$(mktemp)
trap 'rm -f "$out"' EXIT
look() { "$vuln" ${GOVULNDB:+-db "$GOVULNDB"} "$@" >"$out" 2>&1; }
echo "vuln: looking up what the main module calls"
# What is called takes half a minute to find out; whether there is a database, a second.
status=0
look -scan module || status=$?
if [ "$status" = 0 ] || ! grep -q '^govulncheck: fetching vulnerabilities' "$out"; then
	status=0
	look ./... || status=$?
fi
if [ "$status" != 0 ] && grep -q '^govulncheck: fetching vulnerabilities' "$out"; then
	cat >&2 <<-END
		vuln: ************************************************************
		vuln: SKIPPED: the vulnerability database cannot be reached from here.
		vuln: Nothing is known about the dependencies. GOVULNDB names a mirror.
		vuln: ************************************************************
	END
	sed 's/^/vuln: /' "$out" >&2
	exit 0
fi
cat "$out"
exit "$status"
