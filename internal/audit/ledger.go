package audit

import (
	"io"
	"maps"
	"slices"

	"freehold.dev/freehold/internal/finding"
)

// Identities are what a resource is, by its type, its id and its outputs, in
// the form in which two mentions of it are equal: what a ledger keeps.
func Identities(typ, id string, outputs map[string]any) []finding.Identity {
	return ledger(nil, identitiesOf(typ, id, outputs))
}

// StateIdentities are what the resources of a stored state are, in the order of
// the state.
func StateIdentities(r io.Reader) ([]finding.Identity, error) {
	var out []finding.Identity
	_, err := read(r, func(r resource) error {
		out = ledger(out, identities(r))
		return nil
	})
	return out, err
}

func ledger(out []finding.Identity, ids []identity) []finding.Identity {
	for _, id := range ids {
		if i := (finding.Identity{Kind: id.kind, Value: id.token}); !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

// Mentions are all that properties name which may be an identity, in order.
func Mentions(properties map[string]any) []string {
	named := map[string]bool{}
	texts(properties, false, func(l leaf) {
		if bucketName(l.key, l.text) {
			named[bucketToken(l.text)] = true
		}
		tokens(l.text, func(t string) { named[t] = true })
	})
	return slices.Sorted(maps.Keys(named))
}
