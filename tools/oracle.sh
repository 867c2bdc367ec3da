#!/bin/sh
# Asks an IAM simulator that others wrote what AWS would answer, about the policies
# that an onboarding makes and about policies that are drawn at random.
#
# Usage: tools/oracle.sh [GO-TEST-FLAGS]
#
# The simulator is the npm package that tools/oracle pins. It is under the AGPL: it
# is installed beside the other tools' caches, runs as a process of its own, and no
# part of it is in the repository or in a release. Where there is no node, or no npm
# registry, this says so and is skipped; with CI=true it fails for every other reason.
set -eu
cd "$(dirname "$0")/.."

skip() {
	printf 'conformance: NOT RUN: the independent IAM simulator: %s\n' "$*" >&2
	printf 'conformance: SKIPPED: no independent IAM simulator was asked\n'
	exit 0
}

# broken is for what the machine has and cannot use.
broken() {
	[ "${CI:-}" = true ] || skip "$@"
	printf 'conformance: FAILED: the independent IAM simulator: %s\n' "$*" >&2
	exit 1
}

for tool in node npm; do
	command -v $tool >/dev/null 2>&1 || skip "there is no $tool: https://nodejs.org/en/download"
done
# Its folder is the lockfile's, so another version is another folder.
at=${FREEHOLD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/freehold}/oracle-$(cksum <tools/oracle/package-lock.json | cut -d ' ' -f 1)
if ! [ -d "$at" ]; then
	mkdir -p "$(dirname "$at")"
	new=$(mktemp -d "$at.XXXXXX")
	trap 'rm -rf "$new"' EXIT
	cp tools/oracle/package.json tools/oracle/package-lock.json "$new"
	echo "conformance: installing the IAM simulator that tools/oracle pins"
	# The lockfile has the digest of each package, and no script of one is run.
	if ! npm ci --prefix "$new" --ignore-scripts --no-audit --no-fund >"$new/install.log" 2>&1; then
		cat "$new/install.log" >&2
		npm ping >/dev/null 2>&1 || skip "no npm registry can be reached"
		broken "npm ci failed in tools/oracle"
	fi
	# Somebody else may have installed it meanwhile, which is as good.
	mv "$new" "$at" 2>/dev/null || [ -d "$at" ]
fi
echo "conformance: IAM simulator in $at"
FREEHOLD_ORACLE=$at FREEHOLD_TOOLS="$PWD/bin" GOGC="${GOGC:-400}" go test -count 1 -timeout 20m "$@" ./internal/conformance/oracle
