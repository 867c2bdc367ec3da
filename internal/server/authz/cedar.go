package authz

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/schema"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
)

// The files are the whole of what is permitted, and a reviewer reads them as they
// are. Changing them takes a build: there is no switch.
//
//go:embed schema.cedarschema policies/*.cedar
var files embed.FS

const schemaFile = "schema.cedarschema"

// readSchema reads which actions there are, and for whom and what each of them is.
func readSchema(from fs.FS) (*resolved.Schema, error) {
	text, err := fs.ReadFile(from, schemaFile)
	if err != nil {
		return nil, err
	}
	var s schema.Schema
	s.SetFilename(schemaFile)
	if err := s.UnmarshalCedar(text); err != nil {
		return nil, err
	}
	return s.Resolve()
}

// readPolicies reads all policies by their ids. One without an id, or with that of
// another, is an error: the id is what an audit log gives as the reason.
func readPolicies(from fs.FS) (*cedar.PolicySet, error) {
	names, err := fs.Glob(from, "policies/*.cedar")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	set := cedar.NewPolicySet()
	for _, name := range names {
		text, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, err
		}
		list, err := cedar.NewPolicyListFromBytes(name, text)
		if err != nil {
			return nil, err
		}
		for _, p := range list {
			id := cedar.PolicyID(p.Annotations()["id"])
			if id == "" {
				return nil, fmt.Errorf("%s:%d: a policy has no @id", name, p.Position().Line)
			}
			if !set.Add(id, p) {
				return nil, fmt.Errorf("%s:%d: another policy has the @id %q", name, p.Position().Line, id)
			}
		}
	}
	return set, nil
}

// The types of the schema.
const (
	typeAction    = types.EntityType("Freehold::Action")
	typeRole      = types.EntityType("Freehold::Role")
	typeOrg       = types.EntityType("Freehold::Org")
	typeFleet     = types.EntityType("Freehold::Fleet")
	typeDirectory = types.EntityType("Freehold::Directory")
	typeUser      = types.EntityType("Freehold::User")
	typeWorkload  = types.EntityType("Freehold::Workload")
	typeService   = types.EntityType("Freehold::Service")
	typeOperator  = types.EntityType("Freehold::Operator")
)

// entities are what a decision knows: the caller, and the actions with their
// groups, which are the same for all.
type entities struct {
	caller  types.Entity
	actions types.EntityMap
}

// Get returns an entity.
func (e entities) Get(uid types.EntityUID) (types.Entity, bool) {
	if uid == e.caller.UID {
		return e.caller, true
	}
	return e.actions.Get(uid)
}

func uid(t types.EntityType, id string) types.EntityUID {
	return types.NewEntityUID(t, types.String(id))
}
