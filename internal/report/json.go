package report

import (
	"encoding/json"
	"io"
)

// JSON writes v as one indented document. Lists that a program will range over
// are never null.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(listed(v))
}

// JSONLine writes v as one document on one line.
func JSONLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(listed(v))
}

// listed replaces the nil lists of our own documents by empty ones.
func listed(v any) any {
	switch v := v.(type) {
	case Plan:
		v.Layers = orEmpty(v.Layers)
		v.Changes = orEmpty(v.Changes)
		return v
	case Onboarding:
		v.Layers = orEmpty(v.Layers)
		return v
	case Status:
		v.Layers = orEmpty(v.Layers)
		return v
	case Drift:
		v.Layers = orEmpty(v.Layers)
		v.Findings = orEmpty(v.Findings)
		return v
	case Offboarding:
		v.Layers = orEmpty(v.Layers)
		return v
	case Comparison:
		v.Orgs, v.Shared = orEmpty(v.Orgs), orEmpty(v.Shared)
		return v
	case PolicyReport:
		v.Findings = orEmpty(v.Findings)
		return v
	case Audit:
		v.Orgs, v.Findings = orEmpty(v.Orgs), orEmpty(v.Findings)
		v.Shared, v.Edges, v.Unread = orEmpty(v.Shared), orEmpty(v.Edges), orEmpty(v.Unread)
		return v
	case []Status:
		return eachListed(v)
	case []Drift:
		return eachListed(v)
	case []Check:
		return orEmpty(v)
	case []SandboxItem:
		return orEmpty(v)
	default:
		return v
	}
}

func eachListed[T any](list []T) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = listed(v)
	}
	return out
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
