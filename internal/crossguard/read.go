package crossguard

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/judge"
	"freehold.dev/freehold/policies"
)

// Read judges a resource that a program only reads: a reference to another
// stack, or something looked up by its id. The engine shows those to no policy
// pack, but reports them in its events. The reader is unknown at that point, so a
// rule that must know it is undecided.
func Read(rules []policies.Rule, scope string, r policies.Resource) ([]finding.Policy, error) {
	stack, _, _ := strings.Cut(strings.TrimPrefix(r.URN, "urn:pulumi:"), "::")
	s, err := scopeOf(stack, map[string]string{ScopeKey: scope})
	if err != nil {
		return nil, err
	}
	r.Properties, _ = withUnknowns(r.Properties).(map[string]any)
	j := judge.Judge{Rules: rules, Scope: s}
	return append(j.Resource(r), j.Stack([]policies.Resource{r})...), nil
}

// withUnknowns puts Unknown where an event has the text that stands for it.
func withUnknowns(v any) any {
	switch v := v.(type) {
	case string:
		switch v {
		case plugin.UnknownStringValue, plugin.UnknownBoolValue, plugin.UnknownNumberValue, plugin.UnknownArrayValue, plugin.UnknownObjectValue:
			return policies.Unknown{}
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = withUnknowns(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = withUnknowns(e)
		}
		return out
	}
	return v
}
