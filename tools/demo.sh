#!/bin/sh
# The demonstration: two customers, each with a data plane of their own, in the
# sandbox cloud. It may be run as often as you like.
set -eu
cd "$(dirname "$0")/.."

freehold="bin/freehold --sandbox"
bold='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

say "1. Onboard the customer acme (docs/examples/acme.yaml)"
$freehold onboard -f docs/examples/acme.yaml

say "2. Ask acme's own API server for its projects"
kubeconfig=$(mktemp)
server=
finish() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	rm -rf "$kubeconfig" "$kubeconfig".*
}
trap finish EXIT
trap 'exit 1' INT TERM
$freehold kubeconfig acme >"$kubeconfig"
if command -v kubectl >/dev/null 2>&1; then kubectl=kubectl; else kubectl="bin/freehold-kube kubectl"; fi
$freehold projects list acme
$kubectl --kubeconfig "$kubeconfig" get projects,ns,quota,limits,networkpolicy,rolebinding -A

say "3. Onboard a second customer, globex (docs/examples/globex.yaml)"
$freehold onboard -f docs/examples/globex.yaml

say "4. What the two have in common"
$freehold status --compare

say "5. Serve the API, each customer on a host of its own"
log="$kubeconfig.log"
$freehold serve >"$log" 2>&1 &
server=$!
tries=0
until grep -q "^serving" "$log"; do
	tries=$((tries + 1))
	if [ $tries -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
		cat "$log" >&2
		echo "demo: the server did not start" >&2
		exit 1
	fi
	sleep 0.2
done
sed -n '/^[^{]/p' "$log"
authority=$(sed -n 's/^clients need the authority in //p' "$log")

# ask HOST COMMAND... asks the API with the token in FREEHOLD_TOKEN, and shows both.
ask() {
	host=$1
	shift
	printf '\n%s$ freehold --server https://%s.freehold.localhost:8443 %s%s\n' "$bold" "$host" "$*" "$plain"
	bin/freehold --server "https://$host.freehold.localhost:8443" "$@"
}
# refused HOST COMMAND... is a request that has to fail.
refused() {
	if ask "$@" 2>&1; then
		echo "demo: this had to be refused" >&2
		exit 1
	fi
}
# raw HOST sends the token in FREEHOLD_TOKEN, which the command line keeps from any
# host but its own, to any host.
raw() {
	command -v curl >/dev/null 2>&1 || return 0
	printf '\n%s$ curl -H "Authorization: Bearer …" https://%s.freehold.localhost:8443/freehold.v1.OrganizationService/GetOrganization%s\n' "$bold" "$1" "$plain"
	curl -sS --cacert "$authority" --resolve "*:8443:127.0.0.1" -w ' (%{http_code})\n' -H "Authorization: Bearer $FREEHOLD_TOKEN" -H 'Content-Type: application/json' \
		-d '{}' "https://$1.freehold.localhost:8443/freehold.v1.OrganizationService/GetOrganization"
}
token() { $freehold sandbox token "$1" --as "$2"; }

say "6. A reviewer of each customer sees that customer, and nothing else"
for org in acme globex; do
	FREEHOLD_TOKEN=$(token $org vera)
	export FREEHOLD_TOKEN
	ask $org get organization
	ask $org get operations
done

say "7. What is refused"
echo "A reviewer of globex at acme's host, with the command line and without it:"
refused acme get organization
raw acme
echo "Somebody without a token, and at the host of a customer that there is not:"
(unset FREEHOLD_TOKEN && refused acme get organization)
FREEHOLD_TOKEN=
raw initech
echo "A reviewer of acme, who may only read, runs drift:"
FREEHOLD_TOKEN=$(token acme vera)
refused acme drift run
echo
echo "All of it is in acme's own audit log:"
ask acme get audit | grep -E "refused|denied" | tail -n 4

say "Try next"
cat <<'EOF'
  bin/freehold serve --sandbox                             # then: bin/freehold login https://acme.freehold.localhost:8443
  bin/freehold --sandbox sandbox ls acme                   # everything in acme's account
  bin/freehold --sandbox drift acme                        # edit something with "sandbox edit", and run it again
  bin/freehold --sandbox plan -f docs/examples/acme.yaml   # edit the file first, to see what would change
EOF
