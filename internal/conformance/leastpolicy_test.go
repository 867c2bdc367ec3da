package conformance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/conformance/iamcalls"
	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/iam"
)

// checkCalls holds what was recorded, from the arrival of customers to their
// leaving, against the policies that Freehold asks for and those that it makes.
// The emulator enforces none of them, so what they would refuse is found here.
func checkCalls(t *testing.T, l *lab.Lab, calls []lab.Call) {
	t.Helper()
	check(t, calls, func(arn string) (iam.Document, error) { return awsManaged(t, l, arn) })
}

// awsManaged asks the emulator, which has AWS's own policies.
func awsManaged(t *testing.T, l *lab.Lab, arn string) (iam.Document, error) {
	client := awsiam.NewFromConfig(l.In(lab.ManagementAccount))
	policy, err := client.GetPolicy(t.Context(), &awsiam.GetPolicyInput{PolicyArn: aws.String(arn)})
	if err != nil {
		return iam.Document{}, err
	}
	version, err := client.GetPolicyVersion(t.Context(), &awsiam.GetPolicyVersionInput{
		PolicyArn: aws.String(arn), VersionId: policy.Policy.DefaultVersionId,
	})
	if err != nil {
		return iam.Document{}, err
	}
	text, err := url.QueryUnescape(aws.ToString(version.PolicyVersion.Document))
	if err != nil {
		return iam.Document{}, err
	}
	return iam.Parse(text)
}

// who says what a caller is.
type who string

const (
	provisionerRole who = "the provisioner"
	// stateKeeper is the provisioner when Pulumi reads and writes states as it.
	stateKeeper    who = "the provisioner, where it keeps states,"
	vendedAccess   who = "the access role of an account that was vended"
	existingAccess who = "the access role of an account that a customer brought"
	phaseRole      who = "a phase role"
	// stranger is somebody in an account that is no customer's: where wrong
	// credentials lead to, and Freehold goes no further.
	stranger who = "somebody else"
)

func check(t *testing.T, calls []lab.Call, managed func(arn string) (iam.Document, error)) {
	t.Helper()
	calls = slices.DeleteFunc(slices.Clone(calls), unchecked)
	by := map[who][]lab.Call{}
	guards := iamcalls.NewGuards(calls, managed)
	refusals := violations{}
	whole := map[string]bool{} // by account
	for _, c := range calls {
		is := whoIs(guards, c)
		by[is] = append(by[is], c)
		requests, err := iamcalls.Requests(c)
		if err != nil {
			refusals.add(string(is), "unknown to iamcalls", c, err)
		}
		for _, r := range requests {
			if err := guards.Check(r); err != nil {
				refusals.add(roleName(c.Principal), r.Action, c, fmt.Errorf("on %s: %w", r.Resource, err))
			}
		}
		// The phase roles are whole from the first call of one of them to the
		// first policy that the access role takes from them again.
		switch {
		case is == phaseRole:
			whole[c.Account] = true
		case c.Action == "DetachRolePolicy" || c.Action == "DeleteRolePolicy":
			whole[c.Account] = false
		}
		if !whole[c.Account] {
			requests = nil
		}
		for _, r := range standIns(guards, c, requests) {
			if err := guards.Check(r); err != nil {
				refusals.add(roleName(r.Principal)+", in the place of "+roleName(c.Principal), r.Action, c, fmt.Errorf("on %s: %w", r.Resource, err))
			}
		}
		if err := guards.Learn(c); err != nil {
			refusals.add(string(is), "learning a policy", c, err)
		}
	}
	t.Run("the policies that Freehold makes allow what its roles did", refusals.report)
	for _, role := range []struct {
		is       who
		template template
	}{{provisionerRole, provisionerTemplate}, {stateKeeper, stateTemplate}, {existingAccess, accessTemplate}} {
		t.Run(string(role.is)+" needs what docs/iam says, and no more", func(t *testing.T) {
			if len(by[role.is]) == 0 {
				t.Fatalf("no call by %s was recorded", role.is)
			}
			role.template.check(t, by[role.is])
		})
	}
	for _, is := range []who{vendedAccess, phaseRole} {
		if len(by[is]) == 0 {
			t.Errorf("no call by %s was recorded", is)
		}
	}
}

// unchecked are calls of nobody's: the operator signing in by the management
// account's key, and calls that were refused before any policy was asked.
func unchecked(c lab.Call) bool {
	return c.Principal == "" || slices.Contains([]string{"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId"}, c.Error)
}

func whoIs(g *iamcalls.Guards, c lab.Call) who {
	switch {
	case c.Action == "AssumeRole" && g.OrgOf(c.Form.Get("RoleArn")) == "":
		return stranger // where the lab leads the provisioner astray
	case c.Principal == lab.Provisioner && (c.Service == "s3" || c.Service == "kms"):
		return stateKeeper
	case c.Principal == lab.Provisioner:
		return provisionerRole
	case g.Made(c.Principal):
		return phaseRole
	case g.OrgOf(c.Principal) == "":
		return stranger
	case strings.HasSuffix(c.Principal, ":role/"+lab.AccessRole):
		return vendedAccess
	default:
		return existingAccess
	}
}

// folder is where the templates are.
const folder = "../../docs/iam"

// check compares the committed policy with the calls, both ways.
func (m template) check(t *testing.T, calls []lab.Call) {
	t.Helper()
	calls = append(slices.Clone(calls), m.besidesBy(calls[0])...)
	least, err := iamcalls.Least(calls, m.scopes)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.files {
		path := filepath.Join(folder, p.file)
		if p.written {
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p.covers(t, string(got), calls)
			continue
		}
		doc := p.of(least)
		if n := len(doc.String()); n > iam.MaxManaged {
			t.Errorf("%s: %d characters, and a managed policy takes %d", p.file, n, iam.MaxManaged)
		}
		var want bytes.Buffer
		if err := json.Indent(&want, []byte(doc.String()), "", "  "); err != nil {
			t.Fatal(err)
		}
		want.WriteByte('\n')
		if *update {
			if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatalf("%v: run this test with -update", err)
		}
		if diff := cmp.Diff(string(got), want.String()); diff != "" {
			t.Errorf("%s is not the least policy of what was recorded; review it with -update (-committed +least):\n%s", p.file, diff)
		}
		p.covers(t, string(got), calls)
	}
}

// of is the part of a policy that is in the file.
func (p part) of(d iam.Document) iam.Document {
	var out []iam.Statement
	for _, s := range d.Statement {
		s.Action = slices.DeleteFunc(slices.Clone(s.Action), func(action string) bool { return p.holds != nil && !p.holds(action) })
		if len(s.Action) > 0 {
			out = append(out, s)
		}
	}
	return iam.New(out...)
}

// covers asks the committed policy itself, filled in, about each call; and
// about each of its actions, whether any call needs it.
func (p part) covers(t *testing.T, text string, calls []lab.Call) {
	t.Helper()
	refusals := violations{}
	used := map[string]bool{}
	roles := iamcalls.RolesOf(calls)
	filled := map[string]iam.Document{} // by account
	for _, c := range calls {
		doc, ok := filled[c.Account]
		if !ok {
			var err error
			if doc, err = iam.Parse(iamcalls.Fill(text, map[string]string{
				iamcalls.ManagementAccountID: c.Account, iamcalls.AccountID: c.Account, iamcalls.Region: lab.Region,
			})); err != nil {
				t.Fatalf("%s: %v", p.file, err)
			}
			filled[c.Account] = doc
		}
		requests, err := iamcalls.Requests(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range requests {
			if p.holds != nil && !p.holds(r.Action) {
				continue
			}
			used[r.Action] = true
			if v := doc.Evaluate(roles.Complete(r)); v != iam.Allowed {
				refusals.add(roleName(c.Principal), r.Action, c, fmt.Errorf("%s on %s", v, r.Resource))
			}
		}
	}
	refusals.report(t)
	if p.written {
		return
	}
	for account, doc := range filled {
		for _, s := range doc.Statement {
			for _, action := range s.Action {
				if !used[action] {
					t.Errorf("%s allows %s, which no call of account %s and no other needs", p.file, action, account)
				}
			}
		}
	}
}

// violations are what a policy refuses: by role and action, with one example.
type violations map[string]string

func (v violations) add(role, action string, c lab.Call, err error) {
	key := role + ": " + action
	if _, there := v[key]; !there {
		v[key] = fmt.Sprintf("%s: %v (%s %s%s, answered %d %s)", key, err, c.Service, c.Action, strings.TrimPrefix(c.Method+" "+c.Path, "POST /"), c.Status, c.Error)
	}
}

func (v violations) report(t *testing.T) {
	for _, key := range slices.Sorted(maps.Keys(v)) {
		t.Error(v[key])
	}
}

// roleName is a role without its account, and without its org where it is a
// phase's, so that the same refusal is reported once.
func roleName(roleARN string) string {
	_, name, _ := strings.Cut(roleARN, ":role/")
	if m := phase.FindStringSubmatch(name); m != nil {
		return "freehold-<org>-" + m[1]
	}
	return name
}

var phase = regexp.MustCompile(`^freehold-.+-(provision|read|bootstrap|offboard)$`)

// standIns are the requests that another role would have made in the place of
// who did: the read role, which drift is for, could read what the roles read
// that made it; the offboard role could take away what the provision role did.
func standIns(g *iamcalls.Guards, c lab.Call, requests []iam.Request) []iam.Request {
	account, name, _ := strings.Cut(c.Principal, ":role/")
	if account == "" || c.Principal == lab.Provisioner {
		return nil
	}
	var out []iam.Request
	for _, r := range requests {
		role := ""
		switch {
		case reads.MatchString(r.Action) && !content.MatchString(r.Action):
			role = "read"
		case takesAway.MatchString(r.Action) && strings.HasSuffix(name, "-provision"):
			role = "offboard"
		default:
			continue
		}
		for _, arn := range g.Roles(account, "-"+role) {
			r.Principal = arn
			out = append(out, r)
		}
	}
	return out
}

var (
	reads     = regexp.MustCompile(`:(Describe|Get|List)`)
	content   = regexp.MustCompile(`^s3:(GetObject|ListBucketVersions)`)
	takesAway = regexp.MustCompile(`:(Delete|Detach|Disassociate|Release|Revoke)|^eks:UpdateClusterConfig$`)
)
