package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/policies"
)

type m = map[string]any

const (
	acme   = "210987654321"
	globex = "310987654321"
)

// made is a resource of a state.
func made(typ, name, id string, inputs, outputs m) m {
	return m{
		"urn": "urn:pulumi:x::freehold::" + typ + "::" + name, "type": typ, "custom": true, "id": id, "inputs": inputs, "outputs": outputs,
	}
}

// plane is what each of the two customers has.
func plane(org, account string) []m {
	digit := account[:1]
	return []m{
		made(awstype.OrganizationsAccount, "account", account, m{"email": "aws+" + org + "@example.com"}, m{"email": "aws+" + org + "@example.com"}),
		made(awstype.EC2VPC, "network", "vpc-"+digit+"123456789abcdef0", m{"cidrBlock": "10.0.0.0/16"},
			m{"arn": "arn:aws:ec2:eu-west-1:" + account + ":vpc/vpc-" + digit, "cidrBlock": "10.0.0.0/16"}),
		made("aws:iam/role:Role", "node", "node", m{"name": "node", "permissionsBoundary": "arn:aws:iam::" + account + ":policy/b"},
			m{"arn": "arn:aws:iam::" + account + ":role/node", "uniqueId": "AROA" + digit + "AAAAAAAAAAAAAAA1"}),
		made("aws:kms/key:Key", "data", digit+"234abcd-12ab-34cd-56ef-1234567890ab", m{"policy": document(account)},
			m{"arn": "arn:aws:kms:eu-west-1:" + account + ":key/" + digit + "234abcd", "keyId": digit + "234abcd-12ab-34cd-56ef-1234567890ab"}),
		made("aws:s3/bucketV2:BucketV2", "logs", org+"-logs", m{"bucket": org + "-logs"}, m{"arn": "arn:aws:s3:::" + org + "-logs"}),
		made("aws:route53/zone:Zone", "zone", "Z"+digit+"D633PJN98FT9", m{}, m{"zoneId": "Z" + digit + "D633PJN98FT9"}),
	}
}

func document(principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Sid":"Own","Effect":"Allow","Principal":{"AWS":"100000000001"},"Action":"*"},
		{"Sid":"Named","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + principal + `:root"},"Action":"kms:*","Resource":"*"}]}`
}

// world is a fleet of the tests, by org.
type world map[string][]m

func two(more ...m) world {
	return world{"acme": append(plane("acme", acme), more...), "globex": plane("globex", globex)}
}

func (w world) options() Options {
	return Options{
		About: finding.EveryOrg, Orgs: slices.Sorted(maps.Keys(w)), Now: func() time.Time { return time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC) },
		Load: func(_ context.Context, org string) (Org, error) {
			return Org{Name: org, Layers: []Layer{{Name: "boundary", Scope: policies.Scope{Org: org, Layer: "boundary"}, Open: stored(w[org])}}}, nil
		},
	}
}

func stored(resources []m) func(context.Context) (io.ReadCloser, error) {
	return func(context.Context) (io.ReadCloser, error) {
		raw, err := json.Marshal(m{"checkpoint": m{"latest": m{"resources": resources}}})
		return io.NopCloser(strings.NewReader(string(raw))), err
	}
}

func audited(t *testing.T, o Options) finding.Audit {
	t.Helper()
	a, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// lines are the fleet's findings, each in one line.
func lines(a finding.Audit) []string {
	var out []string
	for _, e := range a.Edges {
		statement := ""
		if e.Statement != "" {
			statement = " with a statement"
		}
		out = append(out, fmt.Sprintf("%s from %s %s at %s to %s %s%s", e.Kind, e.From.Org, e.From.Name, e.From.Path, e.To.Org, e.To.Name, statement))
	}
	for _, s := range a.Shared {
		var ends []string
		for _, e := range s.Ends {
			ends = append(ends, e.Org+" "+e.Name)
		}
		out = append(out, s.Kind+" of "+strings.Join(ends, " and "))
	}
	slices.Sort(out)
	return out
}

func TestEachWayFromOneOrgToAnotherIsReported(t *testing.T) {
	const vpc, key = "vpc-3123456789abcdef0", "3234abcd-12ab-34cd-56ef-1234567890ab"
	for reason, tc := range map[string]struct {
		made m
		want []string
	}{
		"a trust": {
			made("aws:iam/role:Role", "x", "x", m{"assumeRolePolicy": document(globex)}, m{}),
			[]string{"trust from acme x at assumeRolePolicy to globex account with a statement"},
		},
		"a trust by the role's unique id": {
			made("aws:iam/role:Role", "x", "x", m{"assumeRolePolicy": `{"Statement":{"Principal":{"AWS":"AROA3AAAAAAAAAAAAAAA1"}}}`}, m{}),
			[]string{"trust from acme x at assumeRolePolicy to globex node with a statement"},
		},
		"a trust by a session of the role": {
			made("aws:iam/role:Role", "x", "x", m{"assumeRolePolicy": `{"Statement":[{"Principal":{"AWS":"arn:aws:sts::` + globex + `:assumed-role/node/i-1"}}]}`}, m{}),
			[]string{"trust from acme x at assumeRolePolicy to globex node with a statement"},
		},
		"a policy": {
			made("aws:s3/bucketPolicy:BucketPolicy", "x", "acme-logs", m{"policy": document(globex)}, m{}),
			[]string{"policy from acme x at policy to globex account with a statement"},
		},
		"a permission on a bucket, whose ARN has no account": {
			made("aws:iam/rolePolicy:RolePolicy", "x", "x", m{"policy": `{"Statement":[{"Action":"s3:*","Resource":"arn:aws:s3:::globex-logs/*"}]}`}, m{}),
			[]string{"policy from acme x at policy to globex logs with a statement"},
		},
		"a grant": {
			made("aws:kms/grant:Grant", "x", "x", m{"granteePrincipal": "arn:aws:iam::" + globex + ":role/node"}, m{}),
			[]string{"grant from acme x at granteePrincipal to globex node"},
		},
		"a route": {made("aws:ec2/route:Route", "x", "r-1", m{"vpcId": vpc}, m{}), []string{"route from acme x at vpcId to globex network"}},
		"a peering, with what both networks have in common": {
			made("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", "x", "pcx-0123456789abcdef0", m{"peerVpcId": vpc, "peerOwnerId": globex}, m{}),
			[]string{"CIDR when peered of acme network and globex network", "peering from acme x at peerVpcId to globex network"},
		},
		"an association": {
			made("aws:route53/zoneAssociation:ZoneAssociation", "x", "x", m{"zoneId": "Z3D633PJN98FT9"}, m{}),
			[]string{"association from acme x at zoneId to globex zone"},
		},
		"a key by its id alone":    {made("aws:ebs/volume:Volume", "x", "vol-0123456789abcdef0", m{"kmsKeyId": key}, m{}), []string{"reference from acme x at kmsKeyId to globex data"}},
		"a bucket by its name":     {made("aws:cloudtrail/trail:Trail", "x", "x", m{"s3BucketName": "globex-logs"}, m{}), []string{"reference from acme x at s3BucketName to globex logs"}},
		"what AWS says of a thing": {made("aws:ec2/instance:Instance", "x", "i-0123456789abcdef0", m{}, m{"vpcId": vpc}), []string{"reference from acme x at vpcId to globex network"}},
		"deep in a list":           {made("aws:x/y:Z", "x", "x", m{"a": []any{m{"b-c": []any{vpc}}}}, m{}), []string{`reference from acme x at a[0]["b-c"][0] to globex network`}},
		"an object of Kubernetes":  {made("kubernetes:core/v1:ServiceAccount", "x", "x", m{"metadata": m{"annotations": m{"eks.amazonaws.com/role-arn": "arn:aws:iam::" + globex + ":role/node"}}}, m{}), []string{`reference from acme x at metadata.annotations["eks.amazonaws.com/role-arn"] to globex node`}},
		"the same account twice":   {made(awstype.OrganizationsAccount, "x", globex, m{}, m{}), []string{"account of acme x and globex account"}},
		"the same e-mail":          {made(awstype.OrganizationsAccount, "x", "410987654321", m{}, m{"email": "AWS+globex@example.com"}), []string{"e-mail of acme x and globex account"}},
		"the same thing":           {made(awstype.EC2VPC, "x", vpc, m{}, m{}), []string{"VPC of acme x and globex network"}},
		"a thing that was only read": {
			m{"urn": "a::b::aws:ec2/vpc:Vpc::x", "type": awstype.EC2VPC, "custom": true, "external": true, "id": vpc},
			[]string{"reference from acme x at id to globex network"},
		},

		"its own account":         {made("aws:iam/role:Role", "x", "x", m{"assumeRolePolicy": document(acme)}, m{}), nil},
		"the management account":  {made("aws:iam/role:Role", "x", "x", m{"assumeRolePolicy": document("100000000001")}, m{}), nil},
		"a policy of AWS":         {made("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "x", "x", m{"policyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, m{}), nil},
		"somebody else's account": {made("aws:iam/role:Role", "x", "x", m{"assumeRolePolicy": document("999999999999")}, m{}), nil},
		"the same range":          {made("aws:ec2/subnet:Subnet", "x", "subnet-0123456789abcdef0", m{"cidrBlock": "10.0.0.0/16"}, m{}), nil},
		"a component":             {m{"urn": "a::b::c::x", "type": "freehold:index:Network", "outputs": m{"vpcId": vpc}}, nil},
	} {
		t.Run(reason, func(t *testing.T) {
			if d := cmp.Diff(tc.want, lines(audited(t, two(tc.made).options()))); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestWhatTwoOrgsMeetInIsReportedThoughNobodyOwnsIt(t *testing.T) {
	attached := func(n string) m {
		return made("aws:ec2transitgateway/vpcAttachment:VpcAttachment", "x", "tgw-attach-"+n+"123456789abcdef0", m{"transitGatewayId": "tgw-0123456789abcdef0"}, m{})
	}
	w := two(attached("1"))
	if got := lines(audited(t, w.options())); len(got) > 0 {
		t.Errorf("one org alone: %v", got)
	}
	w["globex"] = append(w["globex"], attached("2"))
	if d := cmp.Diff([]string{"id of acme x and globex x"}, lines(audited(t, w.options()))); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestOnlyWhatTheOrgsAskedAboutShareIsReported(t *testing.T) {
	w := two(made("aws:iam/role:Role", "x", "x", m{"assumeRolePolicy": document(globex)}, m{}))
	w["initech"] = plane("initech", "410987654321")
	for org, want := range map[string]int{"acme": 1, "globex": 1, "initech": 0} {
		o := w.options()
		o.Asked = func(name string) bool { return name == org }
		a := audited(t, o)
		if len(a.Edges) != want || len(a.Orgs) != 1 || a.Orgs[0].Org != org {
			t.Errorf("%s: %d edges, %+v", org, len(a.Edges), a.Orgs)
		}
	}
}

// What is there now is not in any state.
func TestWhatIsThereNowLeadsElsewhereAsWhatIsStored(t *testing.T) {
	o := two().options()
	load := o.Load
	o.Load = func(ctx context.Context, name string) (Org, error) {
		org, err := load(ctx, name)
		org.Live = func(context.Context) ([]Thing, error) {
			if name == "globex" {
				return nil, nil
			}
			return []Thing{{Type: "aws:iam/role:Role", ID: "node", Name: "node", Properties: m{"assumeRolePolicy": document(globex)}}}, nil
		}
		return org, err
	}
	a := audited(t, o)
	if d := cmp.Diff([]string{"trust from acme node at assumeRolePolicy to globex account with a statement"}, lines(a)); d != "" || !a.Live {
		t.Errorf("live %v (-want +got):\n%s", a.Live, d)
	}
}

func TestEntryPointsThatWereOpenedByHandAreFound(t *testing.T) {
	everybody := m{"assumeRolePolicy": `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}`}
	const issuer = "aws:eks/identityProviderConfig:IdentityProviderConfig"
	people := func(issuer string) m {
		return m{"oidc": m{"issuerUrl": issuer, "clientId": "kubernetes", "usernamePrefix": "acme:"}}
	}
	o := two().options()
	o.Rules = policies.All()
	load := o.Load
	o.Load = func(ctx context.Context, name string) (Org, error) {
		org, err := load(ctx, name)
		scope := policies.Scope{
			Org: name, AccountID: acme, IdentityProvider: policies.IdentityProvider{IssuerURL: "https://login.acme.example", ClientID: "kubernetes"},
		}
		org.Layers = []Layer{{Name: "boundary", Scope: scope, Open: stored(nil)}}
		org.Live = func(context.Context) ([]Thing, error) {
			if name == "globex" {
				return nil, nil
			}
			return []Thing{
				{Type: "aws:iam/role:Role", ID: "open", Name: "open", Properties: everybody},
				{Type: "aws:iam/role:Role", ID: "own", Name: "own", Properties: m{
					"assumeRolePolicy": `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::` + acme + `:root"},"Action":"sts:AssumeRole"}]}`,
				}},
				{Type: "aws:iam/role:Role", ID: "aws", Name: "aws", ByCloud: true, Properties: everybody},
				{Type: "aws:iam/role:Role", ID: "unread", Name: "unread"},
				{Type: issuer, ID: "c:own", Name: "own", Properties: people("https://login.acme.example")},
				{Type: issuer, ID: "c:mallory", Name: "mallory", Properties: people("https://login.mallory.example")},
			}, nil
		}
		return org, err
	}
	var got []string
	for _, f := range audited(t, o).Findings {
		got = append(got, f.Rule+" "+f.Org+" "+f.Resource.ID+" at "+f.Path)
	}
	if d := cmp.Diff([]string{
		"FH301 acme open at assumeRolePolicy", "FH803 acme c:mallory at oidc.issuerUrl", "FH302 acme open at assumeRolePolicy",
	}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestWhatCannotBeReadIsNeverNothing(t *testing.T) {
	broken := errors.New("disk on fire")
	for reason, spoil := range map[string]func(*Org) error{
		"an org that cannot be loaded": func(*Org) error { return broken },
		"a state that cannot be opened": func(o *Org) error {
			o.Layers[0].Open = func(context.Context) (io.ReadCloser, error) { return nil, broken }
			return nil
		},
		"a state that breaks off": func(o *Org) error {
			o.Layers[0].Open = func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(strings.NewReader(`{"deployment":{"resources":[`), failing{broken})), nil
			}
			return nil
		},
		"an account that cannot be listed": func(o *Org) error {
			o.Live = func(context.Context) ([]Thing, error) { return nil, broken }
			return nil
		},
		"a run that was interrupted": func(o *Org) error {
			o.Layers[0].Open = func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(`{"deployment":{"pending_operations":[{"resource":{"urn":"disk on fire"},"type":"creating"}]}}`)), nil
			}
			return nil
		},
	} {
		t.Run(reason, func(t *testing.T) {
			o := two().options()
			load := o.Load
			o.Load = func(ctx context.Context, name string) (Org, error) {
				org, err := load(ctx, name)
				if name == "globex" {
					err = spoil(&org)
				}
				return org, err
			}
			a := audited(t, o)
			if a.Complete() || a.Unread[0].Org != "globex" || !strings.Contains(a.Unread[0].Message, "disk on fire") {
				t.Errorf("unread: %+v", a.Unread)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// What a whole stack lacks is not known when only a part of it was read.
func TestOfAStateThatBreaksOffNothingIsMissed(t *testing.T) {
	lacks := policies.Rule{ID: "FH998", Title: "It has a second", Severity: policies.High, CheckStack: func(rs []policies.Resource, _ policies.Scope) map[string]policies.Verdict {
		if len(rs) > 1 {
			return nil
		}
		return map[string]policies.Verdict{rs[0].URN: {Answer: policies.Violated}}
	}}
	never := policies.Rule{ID: "FH999", Title: "It is not", Severity: policies.High, Check: func(policies.Resource, policies.Scope) policies.Verdict {
		return policies.Verdict{Answer: policies.Violated}
	}}
	o := Options{
		Orgs: []string{"acme"}, Rules: []policies.Rule{lacks, never}, Now: time.Now,
		Load: func(context.Context, string) (Org, error) {
			return Org{Name: "acme", Layers: []Layer{{Open: func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader(`{"deployment":{"resources":[{"urn":"a::b","type":"t"},{"urn":"a::c","ty`)), nil
			}}}}, nil
		},
	}
	a := audited(t, o)
	if len(a.Findings) != 1 || a.Findings[0].Rule != "FH999" || a.Complete() {
		t.Errorf("found %+v, unread %+v", a.Findings, a.Unread)
	}
}

func TestRulesAreAskedForTheLastTime(t *testing.T) {
	open := policies.Rule{ID: "FH999", Title: "It is closed", Severity: policies.High, Types: []string{"aws:x/*"}, Check: func(r policies.Resource, _ policies.Scope) policies.Verdict {
		switch v := r.Properties["open"].(type) {
		case bool:
			if v {
				return policies.Verdict{Answer: policies.Violated, Findings: []policies.Finding{{Path: "open", Message: "it is open"}}}
			}
			return policies.Verdict{Answer: policies.Pass}
		default:
			return policies.Verdict{Answer: policies.Undecided, Findings: []policies.Finding{{Path: "open", Message: "not known"}}}
		}
	}}
	secret := m{signature: secretMark, "ciphertext": "v1:x"}
	accepted := func(expires string) []policies.Exception {
		return []policies.Exception{{Rule: "FH999", Resource: "x", Reason: "moving", Approver: "sam", Expires: expires}}
	}
	for reason, tc := range map[string]struct {
		inputs     m
		exceptions []policies.Exception
		strict     bool
		want       string
	}{
		"what passes is not reported":                         {m{"open": false}, nil, false, ""},
		"what is violated":                                    {m{"open": true}, nil, false, "violated"},
		"what was never known is a violation in the end":      {m{"open": plugin.UnknownStringValue}, nil, false, "undecided"},
		"what is not said is one as well":                     {m{}, nil, false, "undecided"},
		"what hangs on a secret was decided at the plan":      {m{"open": secret}, nil, false, ""},
		"what somebody answers for is reported, and accepted": {m{"open": true}, accepted("2026-05-04"), false, "violated accepted"},
		"an exception that has expired says nothing":          {m{"open": true}, accepted("2026-05-03"), false, "violated"},
		"nor does one for a rule that allows none":            {m{"open": true}, accepted("2026-12-31"), true, "violated"},
	} {
		t.Run(reason, func(t *testing.T) {
			w := two(made("aws:x/y:Z", "x", "x", tc.inputs, m{}))
			o := w.options()
			rule := open
			rule.NoException = tc.strict
			o.Rules = []policies.Rule{rule}
			load := o.Load
			o.Load = func(ctx context.Context, name string) (Org, error) {
				org, err := load(ctx, name)
				org.Layers[0].Scope.Exceptions = tc.exceptions
				return org, err
			}
			got := ""
			a := audited(t, o)
			for _, f := range a.Findings {
				got += f.Answer
				if !f.Blocks() {
					got += " accepted"
				}
			}
			if got != tc.want || a.Violated() != (tc.want != "" && !strings.Contains(tc.want, "accepted")) {
				t.Errorf("got %q, want %q; violated: %v", got, tc.want, a.Violated())
			}
		})
	}
}

// However little fits into memory, the same is found.
func TestTheIndexFindsTheSameInRunsOfAnySize(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var orgs [][]entry
	for o := range uint32(60) {
		var es []entry
		for range 40 {
			e := entry{hash: random.Uint64N(2000), org: o}
			switch random.IntN(3) {
			case 1:
				e.org |= mentioned
			case 2:
				e.org |= mentioned | exclusive
			}
			es = append(es, e)
		}
		orgs = append(orgs, es)
	}
	found := func(limit int) suspects {
		x := newIndex(t.TempDir(), limit)
		for _, es := range orgs {
			if err := x.add(es); err != nil {
				t.Fatal(err)
			}
		}
		s, err := x.suspects()
		if err := errors.Join(err, x.close()); err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := found(1 << 20)
	if len(want.hashes) == 0 {
		t.Fatal("nothing is shared: the test says nothing")
	}
	for _, limit := range []int{1, 7, 100, 2400} {
		if d := cmp.Diff(want, found(limit), cmp.AllowUnexported(suspects{})); d != "" {
			t.Errorf("with %d in memory (-want +got):\n%s", limit, d)
		}
	}
}
