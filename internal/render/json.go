package render

import (
	"encoding/json"
	"io"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
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
	case event.Plan:
		v.Layers = orEmpty(v.Layers)
		v.Changes = orEmpty(v.Changes)
		return v
	case event.Onboarding:
		v.Layers = orEmpty(v.Layers)
		return v
	case event.Status:
		v.Layers = orEmpty(v.Layers)
		return v
	case event.Drift:
		v.Layers = orEmpty(v.Layers)
		v.Findings = orEmpty(v.Findings)
		return v
	case event.Offboarding:
		v.Layers = orEmpty(v.Layers)
		return v
	case event.Operations:
		v.Operations = orEmpty(v.Operations)
		return v
	case event.Log:
		events := make([]event.Event, len(v.Events))
		for i, e := range v.Events {
			e.Result = listed(e.Result)
			events[i] = e
		}
		v.Events = events
		return v
	case event.Claims:
		v.Claims = orEmpty(v.Claims)
		return v
	case event.Webhooks:
		v.Endpoints = orEmpty(v.Endpoints)
		return v
	case event.Deliveries:
		v.Endpoints = orEmpty(v.Endpoints)
		return v
	case event.DeadLetters:
		v.Letters = orEmpty(v.Letters)
		return v
	case event.Projects:
		v.Projects = orEmpty(v.Projects)
		return v
	case event.Comparison:
		v.Orgs, v.Shared = orEmpty(v.Orgs), orEmpty(v.Shared)
		return v
	case finding.Report:
		v.Findings = orEmpty(v.Findings)
		return v
	case finding.Audit:
		v.Orgs, v.Findings = orEmpty(v.Orgs), orEmpty(v.Findings)
		v.Shared, v.Edges, v.Unread = orEmpty(v.Shared), orEmpty(v.Edges), orEmpty(v.Unread)
		return v
	case []event.Status:
		return eachListed(v)
	case []event.Drift:
		return eachListed(v)
	case []event.Webhooks:
		return eachListed(v)
	case []event.Deliveries:
		return eachListed(v)
	case []event.Check:
		return orEmpty(v)
	case []event.SandboxItem:
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
