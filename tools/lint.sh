#!/bin/sh
# Runs gofmt and golangci-lint over modules. Usage: tools/lint.sh MODULE...
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)

failed=0
unformatted=$(git ls-files --cached --others --exclude-standard '*.go' | while IFS= read -r file; do
	[ ! -f "$file" ] || gofmt -l "$file"
done)
if [ -n "$unformatted" ]; then
	echo "lint: run gofmt -w on:" $unformatted >&2
	failed=1
fi

lint=$(go run -C tools ./build -want lint -print-path)
for module in "$@"; do
	# A module that only pins programs has nothing to look at.
	[ -n "$(cd "$module" && go list ./... 2>/dev/null)" ] || continue
	echo "lint: golangci-lint in $module"
	(cd "$module" && "$lint" run --config "$root/.golangci.yml" ./...) || failed=1
done
exit "$failed"
