package authz

import (
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"
	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/server/mtls"
)

const (
	listAudit = "/freehold.v1.AuditService/ListAuditEntries"
	listOrgs  = "/freehold.v1.FleetService/ListOrganizations"
)

func TestAReasonNamesThePolicyOrTheRole(t *testing.T) {
	e := newTestEngine(t)
	for _, c := range []struct {
		asker     asker
		procedure string
		allow     bool
		reason    string
		policies  []string
	}{
		{person("viewer"), listAudit, true, "viewers-read", []string{"viewers-read"}},
		{person("admin", "viewer"), listAudit, true, "admins-administer, viewers-read", []string{"admins-administer", "viewers-read"}},
		{person("viewer"), "/freehold.v1.DataPlaneService/OnboardDataPlane", false, "no policy permits it to the role viewer", nil},
		{person(), listAudit, false, "no policy permits it to a caller without a role", nil},
		{operator("fleet-operator"), listAudit, false, "the procedure is not for a Operator on a Fleet", nil},
		{person("admin"), listOrgs, false, "the procedure is not for a User on a Org", nil},
		{person("admin"), "/freehold.v1.AuditService/Nothing", false, "the procedure is not an action of the schema", nil},
		{person("admin"), "read", false, "the procedure is not an action of the schema", nil},
		{person("admin"), "", false, "the procedure is not an action of the schema", nil},
	} {
		call := c.asker.Call
		call.Procedure = c.procedure
		got := e.Decide(t.Context(), call)
		if got.Allow != c.allow || got.Reason != c.reason || !slices.Equal(got.Policies, c.policies) {
			t.Errorf("%s, %s: %+v", c.asker.name, c.procedure, got)
		}
	}
}

// Everything else about the call is as it is for an admin who is let through.
func TestACallThatIsNotOneOfTheOrgsOwnIsDenied(t *testing.T) {
	e := newTestEngine(t)
	for name, c := range map[string]struct {
		change func(*Call)
		reason string
	}{
		"about another org":                 {func(c *Call) { c.Org = "globex" }, "forbidden by people-stay-in-their-org"},
		"about no org":                      {func(c *Call) { c.Org = "" }, "not for a User on a Directory"},
		"about an org by another case":      {func(c *Call) { c.Org = "ACME" }, "forbidden by people-stay-in-their-org"},
		"for the fleet and the org":         {func(c *Call) { c.Claims.Fleet = true }, "not for a Operator on a Org"},
		"from no org":                       {func(c *Call) { c.Claims.Org = "" }, "forbidden by people-stay-in-their-org"},
		"presented by the worker":           {func(c *Call) { c.Peer = mtls.ID(td.Name(), "worker") }, "forbidden by callers-come-through-the-gateway"},
		"presented by the identity service": {func(c *Call) { c.Peer = mtls.ID(td.Name(), "identity") }, "forbidden by callers-come-through-the-gateway"},
		"presented by a stranger":           {func(c *Call) { c.Peer = mtls.ID(td.Name(), "mailer") }, "forbidden by callers-come-through-the-gateway"},
		"presented by nobody":               {func(c *Call) { c.Peer = spiffeid.ID{} }, "is not a service of Freehold"},
		"presented from another domain":     {func(c *Call) { c.Peer = mtls.ID("other.example", "gateway") }, "is not a service of Freehold"},
		"presented by a longer name":        {func(c *Call) { c.Peer = spiffeid.RequireFromString(td.IDString() + "/freehold/gateway/x") }, "is not a service of Freehold"},
		"presented by a name elsewhere":     {func(c *Call) { c.Peer = spiffeid.RequireFromString(td.IDString() + "/gateway") }, "is not a service of Freehold"},
		"by somebody of no kind":            {func(c *Call) { c.Claims.Subject = "team:x" }, "of no kind that is known"},
		"by nobody in the org":              {func(c *Call) { c.Claims.Subject = "" }, "of no kind that is known"},
		"by a service that is none":         {func(c *Call) { c.Claims.Subject = "service:https://gateway" }, "of no kind that is known"},
		"by the gateway itself":             {func(c *Call) { c.Claims.Subject = "service:" + serviceID("gateway") }, "not for a Service"},
		"of a workload of another org":      {func(c *Call) { c.Claims.Subject, c.Claims.Org = "workload:https://ci#x", "globex" }, "forbidden by workloads-stay-in-their-org"},
	} {
		call := person("admin").Call
		call.Procedure = listAudit
		if d := e.Decide(t.Context(), call); !d.Allow {
			t.Fatal(d)
		}
		c.change(&call)
		if d := e.Decide(t.Context(), call); d.Allow || !strings.Contains(d.Reason, c.reason) {
			t.Errorf("%s: %+v, expected %q", name, d, c.reason)
		}
	}
}

// What a service does in its own name is written for it by name, and a role that a
// token gives it is worth nothing.
func TestAServiceHasNoRoles(t *testing.T) {
	e := newTestEngine(t)
	const resume = "/freehold.v1.OperationService/ResumeOperation"
	for name, c := range map[string]struct {
		change func(*Call)
		allow  bool
	}{
		"the worker":                    {func(*Call) {}, true},
		"the worker about another org":  {func(c *Call) { c.Org = "globex" }, false},
		"the worker through another":    {func(c *Call) { c.Peer = mtls.ID(td.Name(), "gateway") }, false},
		"drift with the role of admin":  {func(c *Call) { *c = acting("drift").Call; c.Claims.Roles = []string{"admin"} }, false},
		"the worker of another domain":  {func(c *Call) { c.Claims.Subject = "service:" + mtls.ID("other.example", "worker").String() }, false},
		"the worker with another thing": {func(c *Call) { c.Procedure = listAudit; c.Claims.Roles = []string{"admin"} }, false},
	} {
		call := acting("worker").Call
		call.Procedure = resume
		change := call
		c.change(&change)
		if change.Procedure == "" {
			change.Procedure = resume
		}
		if d := e.Decide(t.Context(), change); d.Allow != c.allow {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// A name that looks like another thing's is a name.
func TestNamesAreNotMistakenForOneAnother(t *testing.T) {
	e := newTestEngine(t)
	for name, c := range map[string]delegation.Claims{
		"a person called like a role":     {Org: "acme", Subject: `user:admin`},
		"a person who quotes a role":      {Org: "acme", Subject: `user:x" in Freehold::Role::"admin`},
		"a person called like a service":  {Org: "acme", Subject: "user:service:" + serviceID("worker")},
		"a role with a quote":             {Org: "acme", Subject: "user:x#1", Roles: []string{`admin"`}},
		"a role with its type":            {Org: "acme", Subject: "user:x#1", Roles: []string{`Freehold::Role::"admin"`}},
		"a role of other letters":         {Org: "acme", Subject: "user:x#1", Roles: []string{"Admin", "admin ", "аdmin"}},
		"a role of the fleet on an org":   {Org: "acme", Subject: "user:x#1", Roles: []string{"fleet-operator", "fleet-viewer"}},
		"the controller's role, a person": {Org: "acme", Subject: "user:x#1", Roles: []string{"controller"}},
	} {
		for _, p := range append(procedures(), ChangeAccess) {
			call := Call{Org: "acme", Peer: mtls.ID(td.Name(), "gateway"), Claims: c, Procedure: p}
			if d := e.Decide(t.Context(), call); d.Allow {
				t.Errorf("%s: %s: %+v", name, p, d)
			}
		}
	}
}

// Cedar skips a policy that it cannot evaluate. Here that is a no, whether it
// forbids or permits, and whatever the others say.
func TestAPolicyThatCannotBeEvaluatedRefuses(t *testing.T) {
	schema, err := fs.ReadFile(files, schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	const open = "@id(\"open\") permit (principal, action, resource);\n"
	for name, c := range map[string]struct {
		text  string
		allow bool
	}{
		"none":                     {"", true},
		"one that forbids":         {`@id("fence") forbid (principal, action, resource) when { principal.team == "red" };`, false},
		"one that permits":         {`@id("fence") permit (principal, action, resource) when { context.team == "red" };`, false},
		"one that adds too much":   {`@id("fence") forbid (principal, action, resource) when { 9223372036854775807 + 1 == 0 };`, false},
		"one that does not happen": {`@id("fence") forbid (principal, action, resource) when { false && principal.team == "red" };`, true},
	} {
		e, err := newEngine(fstest.MapFS{schemaFile: {Data: schema}, "policies/x.cedar": {Data: []byte(open + c.text)}}, td)
		if err != nil {
			t.Fatal(err)
		}
		call := person("viewer").Call
		call.Procedure = listAudit
		d := e.Decide(t.Context(), call)
		if d.Allow != c.allow || !c.allow && (!strings.Contains(d.Reason, "fence: ") || !slices.Equal(d.Policies, []string{"fence"})) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}

// Each fence is broken once, by a policy that permits everything.
func TestAFenceHoldsWhateverIsPermitted(t *testing.T) {
	from := fstest.MapFS{"policies/00.cedar": {Data: []byte("@id(\"open\") permit (principal, action, resource);")}}
	for _, name := range []string{schemaFile, "policies/90-fences.cedar"} {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		from[name] = &fstest.MapFile{Data: text}
	}
	e, err := newEngine(from, td)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := func(a asker) Call { a.Org = "globex"; return a.Call }
	through := func(a asker, service string) Call { a.Peer = mtls.ID(td.Name(), service); return a.Call }
	for fence, call := range map[string]Call{
		"people-stay-in-their-org":              elsewhere(person()),
		"workloads-stay-in-their-org":           elsewhere(workload("viewer")),
		"services-stay-in-the-org-they-act-for": elsewhere(acting("worker")),
		"callers-come-through-the-gateway":      through(person(), "worker"),
		"services-speak-for-themselves":         through(acting("worker"), "drift"),
	} {
		call.Procedure = "/freehold.v1.OperationService/ResumeOperation"
		if d := e.Decide(t.Context(), call); d.Allow || !slices.Equal(d.Policies, []string{fence}) {
			t.Errorf("%s: %+v", fence, d)
		}
	}
	ok := person().Call
	ok.Procedure = listAudit
	if d := e.Decide(t.Context(), ok); !d.Allow {
		t.Errorf("somebody within every fence: %+v", d)
	}
	// The schema alone keeps operators and orgs apart. The fences between them are
	// asked without it.
	for fence, c := range map[string]struct {
		of       asker
		resource types.EntityUID
	}{
		"operators-stay-with-the-fleet": {operator("fleet-operator"), uid(typeOrg, "acme")},
		"the-fleet-is-for-operators":    {acting("worker"), uid(typeFleet, "all")},
	} {
		presenter, _ := e.service(c.of.Peer)
		caller, _ := e.caller(c.of.Call, presenter)
		decision, why := cedar.Authorize(e.policies, entities{caller: caller, actions: e.actions}, cedar.Request{
			Principal: caller.UID, Action: uid(typeAction, listAudit), Resource: c.resource,
			Context: types.NewRecord(types.RecordMap{"presenter": presenter}),
		})
		if d := judged(decision, why, c.of.Call); d.Allow || !slices.Equal(d.Policies, []string{fence}) {
			t.Errorf("%s: %+v", fence, d)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	e := newTestEngine(b)
	call := person("viewer", "operator").Call
	call.Procedure = listAudit
	for b.Loop() {
		if d := e.Decide(b.Context(), call); !d.Allow {
			b.Fatal(d)
		}
	}
}
