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
unreachable() { grep -q '^govulncheck: fetching vulnerabilities' "$out"; }
echo "vuln: looking up what the main module calls"
# Whether there is a database takes a second to find out; what is called, half a minute.
status=0
look -scan module || status=$?
if ! unreachable; then
	status=0
	look ./... || status=$?
fi
if [ "$status" != 0 ] && unreachable; then
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
