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
sed -n '/^serving/p' "$log"

# ask HOST COMMAND... asks the API with the token in FREEHOLD_TOKEN, and shows both.
ask() {
	host=$1
	shift
	printf '%s$ freehold --server https://%s %s%s\n' "$bold" "$host.freehold.localhost:8443" "$*" "$plain"
	$freehold --server "https://$host.freehold.localhost:8443" "$@"
}
# refused HOST COMMAND... is a request that must fail.
refused() {
	if ask "$@" 2>&1; then
		echo "demo: this must have been refused" >&2
		exit 1
	fi
}

say "6. A reviewer of each customer sees that customer only"
for org in acme globex; do
	FREEHOLD_TOKEN=$($freehold sandbox token $org --as vera)
	export FREEHOLD_TOKEN
	ask $org get organization
	ask $org get operations
done

say "7. What is refused"
echo "vera of globex, at acme's host:"
refused acme get organization
echo "nobody, at acme's host:"
(unset FREEHOLD_TOKEN && refused acme get organization)
echo "vera of globex, who may only look, removes a project:"
refused globex projects remove web --yes=web
echo "and acme's own log has it:"
FREEHOLD_TOKEN=$($freehold sandbox token acme --as vera)
ask acme get audit | tail -n 5

say "Try next"
cat <<'EOF'
  bin/freehold --sandbox sandbox ls acme                   # everything in acme's account
  bin/freehold --sandbox drift acme                        # edit something with "sandbox edit", and run it again
  bin/freehold --sandbox plan -f docs/examples/acme.yaml   # edit the file first, to see what would change
EOF
