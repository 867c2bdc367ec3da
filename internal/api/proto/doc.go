// Package proto holds the protobuf definitions of Freehold's API. The Go code is
// generated into the packages beside it, and docs/api has the same as OpenAPI.
// released.json is what clients were promised: buf refuses a change that breaks
// them, and "tools/proto.sh accept" promises what is defined now.
package proto

//go:generate ../../../tools/proto.sh
