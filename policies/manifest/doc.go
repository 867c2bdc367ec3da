// Package manifest reads Kubernetes objects, whatever their kind: what a type says of
// them, and the properties below them by their names.
package manifest
