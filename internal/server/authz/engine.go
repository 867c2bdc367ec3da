package authz

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"freehold.dev/freehold/internal/orgcontext/delegation"
)

// ChangeAccess is the action that is asked for in addition to onboarding when a
// document changes its sections access, account or exceptions. It is no procedure.
const ChangeAccess = "/freehold.v1.DataPlaneService/ChangeAccess"

// Call is what is to be decided.
type Call struct {
	// Claims are those of a verified token. The zero Claims are those of a service
	// that asks the identity service in its own name.
	Claims delegation.Claims
	// Procedure is what is asked for, such as "/freehold.v1.AuditService/ListAuditEntries".
	Procedure string
	// Peer presents the call.
	Peer spiffeid.ID
	// Audience is the SPIFFE id of the service that decides.
	Audience string
	// Org is the org that the request is about, as the request says it; "" if it is
	// about the fleet.
	Org string
}

// Decision says whether a call is allowed, and why.
type Decision struct {
	Allow  bool
	Reason string
	// Policies are the ids of those that decided, sorted.
	Policies []string
}

// Engine decides by the policies that are built in. It is safe for use by several
// goroutines.
type Engine struct {
	schema   *resolved.Schema
	policies *cedar.PolicySet
	actions  types.EntityMap
	self     spiffeid.TrustDomain
}

// New is the engine for the services of a trust domain.
func New(td spiffeid.TrustDomain) (*Engine, error) { return newEngine(files, td) }

func newEngine(from fs.FS, td spiffeid.TrustDomain) (*Engine, error) {
	s, err := readSchema(from)
	if err != nil {
		return nil, fmt.Errorf("the schema of who may do what: %w", err)
	}
	policies, err := readPolicies(from)
	if err != nil {
		return nil, fmt.Errorf("the policies of who may do what: %w", err)
	}
	e := &Engine{schema: s, policies: policies, actions: types.EntityMap{}, self: td}
	for uid, a := range s.Actions {
		e.actions[uid] = a.Entity
	}
	return e, nil
}

// Decide says whether a call is allowed. What no policy permits, what the schema
// does not name, and what cannot be evaluated is not.
func (e *Engine) Decide(_ context.Context, c Call) Decision {
	action := uid(typeAction, c.Procedure)
	known, ok := e.schema.Actions[action]
	if !ok || known.AppliesTo == nil {
		return Decision{Reason: "the procedure is not an action of the schema"}
	}
	presenter, ok := e.service(c.Peer)
	if !ok {
		return Decision{Reason: fmt.Sprintf("%s is not a service of Freehold", c.Peer)}
	}
	caller, ok := e.caller(c, presenter)
	if !ok {
		return Decision{Reason: fmt.Sprintf("subject %q is of no kind that is known", c.Claims.Subject)}
	}
	resource := resourceOf(c)
	// Cedar leaves it to the caller that a request fits the schema.
	if !slices.Contains(known.AppliesTo.Principals, caller.UID.Type) || !slices.Contains(known.AppliesTo.Resources, resource.Type) {
		return Decision{Reason: fmt.Sprintf("the procedure is not for a %s on a %s", kind(caller.UID), kind(resource))}
	}
	decision, why := cedar.Authorize(e.policies, entities{caller: caller, actions: e.actions}, cedar.Request{
		Principal: caller.UID, Action: action, Resource: resource,
		Context: types.NewRecord(types.RecordMap{"presenter": presenter}),
	})
	return judged(decision, why, c)
}

// judged is Cedar's answer, with every error a no: Cedar skips a policy that it
// cannot evaluate, also one that forbids.
func judged(decision cedar.Decision, why cedar.Diagnostic, c Call) Decision {
	out := Decision{Allow: bool(decision) && len(why.Errors) == 0}
	if len(why.Errors) > 0 {
		var all []string
		for _, e := range why.Errors {
			out.Policies = append(out.Policies, string(e.PolicyID))
			all = append(all, fmt.Sprintf("%s: %s", e.PolicyID, e.Message))
		}
		slices.Sort(out.Policies)
		slices.Sort(all)
		out.Reason = "a policy cannot be evaluated: " + strings.Join(all, "; ")
		return out
	}
	for _, r := range why.Reasons {
		out.Policies = append(out.Policies, string(r.PolicyID))
	}
	slices.Sort(out.Policies)
	switch by := strings.Join(out.Policies, ", "); {
	case out.Allow:
		out.Reason = by
	case by != "":
		out.Reason = "forbidden by " + by
	case len(c.Claims.Roles) == 0:
		out.Reason = "no policy permits it to a caller without a role"
	default:
		out.Reason = "no policy permits it to the role " + strings.Join(c.Claims.Roles, ", ")
	}
	return out
}

// service is the entity of one of Freehold's services: those of the same trust
// domain whose identity has the form of mtls.ID.
func (e *Engine) service(id spiffeid.ID) (types.EntityUID, bool) {
	name, ok := strings.CutPrefix(id.Path(), "/freehold/")
	if !ok || name == "" || strings.Contains(name, "/") || id.TrustDomain() != e.self {
		return types.EntityUID{}, false
	}
	return uid(typeService, name), true
}

// caller is the entity of who asks. Its type follows from what the identity
// service says, and not from its name.
func (e *Engine) caller(c Call, presenter types.EntityUID) (types.Entity, bool) {
	subject := c.Claims.Subject
	switch {
	case subject == "" && c.Claims.Org == "" && !c.Claims.Fleet:
		return types.Entity{UID: presenter}, true
	case c.Claims.Fleet && strings.HasPrefix(subject, "user:"):
		return entity(uid(typeOperator, subject), c.Claims), true
	case c.Claims.Fleet:
		return types.Entity{}, false
	case strings.HasPrefix(subject, "user:"):
		return entity(uid(typeUser, subject), c.Claims), true
	case strings.HasPrefix(subject, "workload:"):
		return entity(uid(typeWorkload, subject), c.Claims), true
	case strings.HasPrefix(subject, "service:"):
		id, err := spiffeid.FromString(strings.TrimPrefix(subject, "service:"))
		if err != nil {
			return types.Entity{}, false
		}
		service, ok := e.service(id)
		return entity(service, c.Claims), ok
	default:
		return types.Entity{}, false
	}
}

func entity(id types.EntityUID, c delegation.Claims) types.Entity {
	out := types.Entity{UID: id}
	// A service has no roles: what it may do is written for it by name.
	if id.Type != typeService {
		roles := make([]types.EntityUID, len(c.Roles))
		for i, r := range c.Roles {
			roles[i] = uid(typeRole, r)
		}
		out.Parents = types.NewEntityUIDSet(roles...)
	}
	if !c.Fleet {
		out.Attributes = types.NewRecord(types.RecordMap{"org": uid(typeOrg, c.Org)})
	}
	return out
}

// resourceOf is what a call is about.
func resourceOf(c Call) types.EntityUID {
	switch {
	case c.Org != "":
		return uid(typeOrg, c.Org)
	case c.Claims.Fleet:
		return uid(typeFleet, "all")
	default:
		return uid(typeDirectory, "all")
	}
}

// kind is an entity's type without the namespace.
func kind(id types.EntityUID) string {
	return strings.TrimPrefix(string(id.Type), "Freehold::")
}
