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
trap 'rm -f "$kubeconfig"' EXIT INT TERM
$freehold kubeconfig acme >"$kubeconfig"
if command -v kubectl >/dev/null 2>&1; then kubectl=kubectl; else kubectl="bin/freehold-kube kubectl"; fi
$freehold projects list acme
$kubectl --kubeconfig "$kubeconfig" get projects,ns,quota,limits,networkpolicy,rolebinding -A

say "3. Onboard a second customer, globex (docs/examples/globex.yaml)"
$freehold onboard -f docs/examples/globex.yaml

say "4. What the two have in common"
$freehold status --compare

say "Try next"
cat <<'EOF'
  bin/freehold --sandbox sandbox ls acme                   # everything in acme's account
  bin/freehold --sandbox drift acme                        # edit something with "sandbox edit", and run it again
  bin/freehold --sandbox plan -f docs/examples/acme.yaml   # edit the file first, to see what would change
EOF
