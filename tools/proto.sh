#!/bin/sh
# Makes Go code and the OpenAPI file of the protobuf definitions, after buf has
# checked their style, and that no client of the released ones breaks.
# Usage: tools/proto.sh [accept]
#
# With accept, what is defined now becomes what is released.
set -eu
cd "$(dirname "$0")/.."

plugins=$(mktemp -d)
trap 'rm -rf "$plugins"' EXIT
for tool in buf protoc-gen-go protoc-gen-connect-go protoc-gen-openapiv2; do
	ln -s "$(go run -C tools ./build -want "$tool" -print-path)" "$plugins/$tool"
done
PATH="$plugins:$PATH"

cd internal/api/proto
buf lint
if [ "${1:-}" = accept ]; then
	buf build --exclude-source-info --path freehold/v1 -o released.json
fi
buf breaking --against released.json --path freehold/v1
# A message that is gone leaves no code behind.
rm -rf ../freehold/v1/*.pb.go ../freehold/v1/freeholdv1connect ../freeholdinternal/v1
buf generate
buf generate --template buf.gen.openapi.yaml --path freehold/v1
