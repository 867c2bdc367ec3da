package authz

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/server/route"
	"github.com/cedar-policy/cedar-go/x/exp/ast"
	"github.com/cedar-policy/cedar-go/x/exp/schema/resolved"
	"github.com/cedar-policy/cedar-go/x/exp/schema/validate"
	"github.com/google/go-cmp/cmp"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
)

var td = spiffeid.RequireTrustDomainFromString("freehold.example")

// invalid are the mistakes in policies that Cedar would only meet when they are
// evaluated, if ever.
func invalid(t *testing.T, from fs.FS) []string {
	t.Helper()
	s, err := readSchema(from)
	if err != nil {
		t.Fatal(err)
	}
	set, err := readPolicies(from)
	if err != nil {
		t.Fatal(err)
	}
	v := validate.New(s, validate.WithStrict())
	var out []string
	// The validator does not look at the names of entities.
	known := regexp.MustCompile(`Freehold::(Role|Service|Fleet)::"([^"]*)"`)
	for id, p := range set.All() {
		for _, m := range known.FindAllStringSubmatch(string(p.MarshalCedar()), -1) {
			if !slices.Contains(names(s, m[1]), m[2]) {
				out = append(out, fmt.Sprintf("%s: there is no %s %q", id, m[1], m[2]))
			}
		}
		if err := v.Policy(string(id), (*ast.Policy)(p.AST())); err != nil {
			out = append(out, string(id)+": "+err.Error())
		}
	}
	return out
}

func TestThePoliciesFitTheSchema(t *testing.T) {
	for _, problem := range invalid(t, files) {
		t.Error(problem)
	}
}

// The validator is experimental: here it is seen to find what it is there for.
func TestAPolicyThatDoesNotFitIsFound(t *testing.T) {
	schema, err := fs.ReadFile(files, schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"an attribute that does not exist":    `permit (principal is Freehold::User, action, resource) when { principal.team == "a" };`,
		"an attribute that may be missing":    `permit (principal is Freehold::Service, action, resource is Freehold::Org) when { principal.org == resource };`,
		"a service that does not exist":       `permit (principal == Freehold::Service::"mailer", action, resource);`,
		"a procedure that does not exist":     `permit (principal, action == Freehold::Action::"/freehold.v1.AuditService/DeleteAuditEntries", resource);`,
		"a role that does not exist":          `permit (principal in Freehold::Role::"viewr", action, resource);`,
		"a type that does not exist":          `permit (principal is Freehold::Team, action, resource);`,
		"a context that does not exist":       `permit (principal, action in Freehold::Action::"read", resource) when { context.peer == principal };`,
		"an action that is not for a service": `permit (principal is Freehold::Service, action in Freehold::Action::"read", resource);`,
	} {
		from := fstest.MapFS{schemaFile: {Data: schema}, "policies/x.cedar": {Data: []byte("@id(\"x\")\n" + text)}}
		if found := invalid(t, from); len(found) != 1 {
			t.Errorf("%s: found %q", name, found)
		}
	}
}

func TestPoliciesHaveNames(t *testing.T) {
	schema, err := fs.ReadFile(files, schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		`permit (principal, action, resource);`: "policies/x.cedar:1: a policy has no @id",
		"@id(\"a\") permit (principal, action, resource);\n@id(\"a\") forbid (principal, action, resource);": `policies/x.cedar:2: another policy has the @id "a"`,
		`permit (principal, action, resource)`: "parse error",
	} {
		_, err := newEngine(fstest.MapFS{schemaFile: {Data: schema}, "policies/x.cedar": {Data: []byte(text)}}, td)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", text, err, want)
		}
	}
}

// names are those that entities of a type can have.
func names(s *resolved.Schema, kind string) (out []string) {
	switch kind {
	case "Role":
		for _, v := range s.Enums[typeRole].Values {
			out = append(out, string(v.ID))
		}
	case "Service":
		for _, v := range route.Services() {
			out = append(out, string(v))
		}
	case "Fleet":
		out = []string{"all"}
	}
	return out
}

func TestTheRolesAreThoseOfAToken(t *testing.T) {
	s, err := readSchema(files)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Sorted(slices.Values(append(slices.Clone(delegation.OrgRoles), delegation.FleetRoles...)))
	if diff := cmp.Diff(want, slices.Sorted(slices.Values(names(s, "Role")))); diff != "" {
		t.Error(diff)
	}
}

// A procedure that is not in the schema is refused to everybody, and one that is
// there and nowhere else can be removed.
func TestTheActionsAreTheProcedures(t *testing.T) {
	e, err := New(td)
	if err != nil {
		t.Fatal(err)
	}
	want := append(procedures(), ChangeAccess)
	slices.Sort(want)
	if diff := cmp.Diff(want, e.Actions()); diff != "" {
		t.Errorf("procedures (-) and actions (+): %s", diff)
	}
}
