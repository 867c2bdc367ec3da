#!/bin/sh
# The conformance lane: Freehold's programs on genuine AWS provider code and on
# an AWS API emulator that others wrote. Before it, tools/oracle.sh asks an IAM
# simulator of others about their policies.
#
# Usage: tools/conformance.sh [GO-TEST-FLAGS]
#        tools/conformance.sh -update    write docs/iam anew from what was called
#
# The provider is pulumi-resource-aws from PATH, or from Pulumi's own cache. The
# emulator is what FREEHOLD_CONFORMANCE_EMULATOR starts (a command to which
# "-H HOST -p PORT" is appended, such as moto_server) or the AWS API that
# FREEHOLD_CONFORMANCE_ENDPOINT names. Where neither is to be had, the kit in
# FREEHOLD_CONFORMANCE_KIT (../shared/conformance, if it is there) has both. With
# neither, this says what to install, and skips. What is there and does not work
# is no reason to skip in CI: there the lane fails, as it does when it ran and no
# test asked the emulator.
set -eu
cd "$(dirname "$0")/.."
# The tests say which cloud, home and backend; the caller's own are not theirs.
unset FREEHOLD_CLOUD FREEHOLD_HOME FREEHOLD_BACKEND FREEHOLD_REGISTRY FREEHOLD_SECRETS_PROVIDER FREEHOLD_POLICY_PACK

# This needs no provider and no emulator.
[ "${1:-}" = -update ] || tools/oracle.sh "$@"

skip() {
	printf 'conformance: NOT RUN: %s\n' "$*" >&2
	printf 'conformance: SKIPPED: genuine AWS provider code was not asked\n'
	exit 0
}

# broken is for what the machine has and cannot use.
broken() {
	[ "${CI:-}" = true ] || skip "$@"
	printf 'conformance: FAILED: %s\n' "$*" >&2
	exit 1
}

kit=${FREEHOLD_CONFORMANCE_KIT:-../shared/conformance}
aws_version=$(go list -m -f '{{.Version}}' github.com/pulumi/pulumi-aws/sdk/v6)

# The plugin: on PATH, in Pulumi's cache, or built from the kit.
plugins=${PULUMI_HOME:-$HOME/.pulumi}/plugins/resource-aws-$aws_version
if ! command -v pulumi-resource-aws >/dev/null 2>&1; then
	if [ -x "$plugins/pulumi-resource-aws" ]; then
		PATH=$plugins:$PATH
	elif [ -e "$kit/awsbridge/build.sh" ]; then
		cache=${FREEHOLD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/freehold}/conformance
		mkdir -p "$cache"
		echo "conformance: building pulumi-resource-aws from $kit/awsbridge"
		# The kit's own module has its own settings; ours are for our binaries.
		status=0
		GOFLAGS=-mod=readonly sh "$kit/awsbridge/build.sh" "$cache" >"$cache/build.log" 2>&1 || status=$?
		if [ "$status" != 0 ]; then
			cat "$cache/build.log" >&2
			# 3: the machine has no terraform-provider-aws, which the kit wraps.
			[ "$status" != 3 ] || skip "there is no terraform-provider-aws for $kit/awsbridge"
			broken "pulumi-resource-aws could not be built from $kit/awsbridge"
		fi
		PATH=$cache:$PATH
	else
		skip "there is no pulumi-resource-aws: run bin/pulumi plugin install resource aws ${aws_version#v}"
	fi
fi
export PATH

if [ -z "${FREEHOLD_CONFORMANCE_EMULATOR:-}${FREEHOLD_CONFORMANCE_ENDPOINT:-}" ]; then
	if [ -f "$kit/emulator/emulator.py" ] && python3 -c 'import moto' 2>/dev/null; then
		FREEHOLD_CONFORMANCE_EMULATOR="python3 $PWD/tools/emulator.py $(cd "$kit/emulator" && pwd)/emulator.py"
	elif command -v moto_server >/dev/null 2>&1; then
		FREEHOLD_CONFORMANCE_EMULATOR=moto_server
	else
		skip "there is no AWS emulator: run pip install 'moto[server]', or set FREEHOLD_CONFORMANCE_ENDPOINT to an AWS API"
	fi
	export FREEHOLD_CONFORMANCE_EMULATOR
fi
# The lane starts the aws command a hundred times, and pyenv's own start takes as
# long as the command's.
if unshimmed=$(pyenv which aws 2>/dev/null); then
	PATH=$(dirname "$unshimmed"):$PATH
fi
command -v aws >/dev/null 2>&1 ||
	skip "there is no aws command, by which changes are made behind Freehold's back: https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html"

echo "conformance: provider $(command -v pulumi-resource-aws), emulator ${FREEHOLD_CONFORMANCE_EMULATOR:-$FREEHOLD_CONFORMANCE_ENDPOINT}"
# As make test does.
export FREEHOLD_CONFORMANCE=1 FREEHOLD_TOOLS="$PWD/bin" GOGC="${GOGC:-400}"
if [ "${1:-}" = -update ]; then
	exec go test -count 1 -timeout 40m -run TestTwoCustomersComeAndGo ./internal/conformance -update
fi
FREEHOLD_CONFORMANCE_STARTED=$(mktemp)
export FREEHOLD_CONFORMANCE_STARTED
trap 'rm -f "$FREEHOLD_CONFORMANCE_STARTED"' EXIT
# The lane's packages; one after the other, as each has an emulator of its own.
go test -count 1 -p 1 -timeout 40m "$@" ./internal/cloud/aws ./internal/sandbox ./internal/conformance/...
if [ "${CI:-}" = true ] && ! [ -s "$FREEHOLD_CONFORMANCE_STARTED" ]; then
	broken "provider and emulator are here, and no test asked them"
fi
