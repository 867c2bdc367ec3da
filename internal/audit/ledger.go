package audit

import (
	"io"
	"maps"
	"slices"
)

// Identity is a physical identity, in the form in which two mentions of it are
// equal: what a ledger keeps.
type Identity struct{ Kind, Value string }

// Identities are what a resource is, by its type, its id and its outputs.
func Identities(typ, id string, outputs map[string]any) []Identity {
	return ledger(nil, identitiesOf(typ, id, outputs))
}

// StateIdentities are what the resources of a stored state are, in the order of
// the state.
func StateIdentities(r io.Reader) ([]Identity, error) {
	var out []Identity
	_, err := read(r, func(r resource) error {
		out = ledger(out, identities(r))
		return nil
	})
	return out, err
}

func ledger(out []Identity, ids []identity) []Identity {
	for _, id := range ids {
		if i := (Identity{id.kind, id.token}); !slices.Contains(out, i) {
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
