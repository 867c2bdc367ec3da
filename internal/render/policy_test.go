package render_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/render"
)

var trust = finding.Policy{
	Rule: "FH301", Title: "A role trusts its own account", Severity: "critical", Org: "acme", Layer: "boundary",
	Resource: finding.Resource{Type: "aws:iam/role:Role", Name: "read", URN: "urn:x::read", ID: "freehold-acme-read"},
	Path:     "assumeRolePolicy", Statement: `{"Effect":"Allow","Principal":"*"}`, Message: "it trusts everybody",
	Why: "anybody becomes the role", Fix: "name the principal", Criteria: []string{"CC6.1"}, Answer: "violated",
}

func accepted() finding.Policy {
	f := trust
	f.Rule, f.Severity = "FH602", "medium"
	f.Exception = &finding.Exception{Reason: "until the move", Approver: "sam", Expires: "2026-12-31"}
	return f
}

func TestAFindingSaysWhereWhyAndWhatToDo(t *testing.T) {
	open := trust
	open.Answer, open.Statement = "undecided", ""
	var b strings.Builder
	if err := render.TextPolicy(&b, []finding.Policy{accepted(), trust, open}); err != nil {
		t.Fatal(err)
	}
	want := `FH301 critical  acme  boundary  aws:iam/role:Role "read": it trusts everybody
    rule       A role trusts its own account
    at         assumeRolePolicy
    statement  {"Effect":"Allow","Principal":"*"}
    why        anybody becomes the role
    fix        name the principal
FH301 critical (undecided)  acme  boundary  aws:iam/role:Role "read": it trusts everybody
    rule  A role trusts its own account
    at    assumeRolePolicy
    why   anybody becomes the role
    fix   name the principal
FH602 accepted until 2026-12-31  acme  boundary  aws:iam/role:Role "read": it trusts everybody (until the move, approved by sam)
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// The golden file was held against the JSON schema of SARIF 2.1.0.
func TestFindingsAreSARIF(t *testing.T) {
	end := func(org string) finding.End {
		return finding.End{Org: org, Layer: "cluster", Type: "aws:ec2/vpc:Vpc", Name: "network", ID: "vpc-" + org, URN: "urn:" + org}
	}
	from := end("globex")
	from.Path = "peerVpcId"
	a := finding.Audit{
		Org:      finding.EveryOrg,
		Findings: []finding.Policy{trust, accepted()},
		Shared:   []finding.SharedIdentity{{Kind: "CIDR when peered", Value: "10.0.0.0/16", Ends: []finding.End{end("acme"), end("globex")}}},
		Edges:    []finding.Edge{{Kind: "peering", From: from, To: end("acme"), Value: "vpc-acme"}},
		Unread:   []finding.Unread{{Org: "initech", Layer: "account", Message: "unexpected EOF"}},
	}
	var b strings.Builder
	if err := render.SARIFAudit(&b, a); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "audit.sarif")
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (UPDATE=1 writes it)", err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("(-want +got), UPDATE=1 rewrites it:\n%s", d)
	}
}

func TestWhatSomebodyAnswersForIsNoDrift(t *testing.T) {
	live, excused := trust, accepted()
	violation := func(f *finding.Policy) finding.Finding {
		return finding.Finding{Kind: finding.Violated, Layer: f.Layer, Type: f.Resource.Type, Name: f.Resource.Name, Message: f.Rule, Policy: f}
	}
	for reason, tc := range map[string]struct {
		findings []finding.Finding
		drifted  bool
		text     string
	}{
		"a rule is violated": {[]finding.Finding{violation(&live)}, true, "acme: 1 difference (0s)\n  violated  boundary  aws:iam/role:Role \"read\": FH301\n"},
		"and accepted":       {[]finding.Finding{violation(&excused)}, false, "acme: no drift (0s)\n  accepted  boundary  aws:iam/role:Role \"read\": FH602\n"},
	} {
		t.Run(reason, func(t *testing.T) {
			d := event.Drift{Org: "acme", Findings: tc.findings}
			var b strings.Builder
			if err := render.TextDrift(&b, d); err != nil {
				t.Fatal(err)
			}
			if b.String() != tc.text || d.Drifted() != tc.drifted {
				t.Errorf("drifted %v:\n%s", d.Drifted(), b.String())
			}
		})
	}
}

func TestAFindingThatIsFoundAgainIsTheSameResult(t *testing.T) {
	fingerprint := func(f finding.Policy) string {
		var b strings.Builder
		if err := render.SARIF(&b, "acme", []finding.Policy{f}); err != nil {
			t.Fatal(err)
		}
		var log struct {
			Runs []struct {
				Results []struct{ PartialFingerprints map[string]string }
			}
		}
		if err := json.Unmarshal([]byte(b.String()), &log); err != nil {
			t.Fatal(err)
		}
		return log.Runs[0].Results[0].PartialFingerprints["freehold/v1"]
	}
	reworded, elsewhere := trust, trust
	reworded.Message, reworded.Title = "it trusts anybody at all", "Roles trust their own account"
	elsewhere.Org = "globex"
	if fingerprint(trust) != fingerprint(reworded) {
		t.Error("other words make it another result")
	}
	if fingerprint(trust) == fingerprint(elsewhere) {
		t.Error("another org's is the same result")
	}
}

func TestAnAuditSaysNothingIsSharedOnlyWhenAllWasRead(t *testing.T) {
	orgs := []finding.AuditedOrg{{Org: "acme", Resources: 100}, {Org: "globex", Resources: 20, Secrets: 2, Accepted: 1}}
	for reason, tc := range map[string]struct {
		audit    finding.Audit
		last     string
		violated bool
	}{
		"everything was read": {finding.Audit{Org: "*", Orgs: orgs}, "every org: nothing is shared and no rule is violated, 1 accepted (2 orgs, 120 resources, 0s; 2 secret values not opened)", false},
		"something was not": {finding.Audit{Org: "*", Orgs: orgs[:1], Unread: []finding.Unread{{Org: "globex", Message: "gone"}}},
			"every org: unknown: nothing was found in what could be read (1 org, 100 resources, 0s)", false},
		"an exception answers for all": {finding.Audit{Org: "acme", Orgs: orgs[:1], Findings: []finding.Policy{accepted()}},
			"acme: nothing is shared and no rule is violated (1 org, 100 resources, 0s)", false},
		"something is violated": {finding.Audit{Org: "acme", Orgs: orgs[:1], Findings: []finding.Policy{trust}}, "acme: 1 violation (1 org, 100 resources, 0s)", true},
		"an org was never finished": {finding.Audit{Org: "*", Orgs: []finding.AuditedOrg{{Org: "acme", Resources: 7, Unfinished: []string{"cluster: it was never made"}}}},
			"every org: nothing is shared and no rule is violated in what was made; 1 org is unfinished (1 org, 7 resources, 0s)", false},
		"there are no orgs": {finding.Audit{Org: "*"}, "every org: no orgs to audit (0 orgs, 0 resources, 0s)", false},
	} {
		t.Run(reason, func(t *testing.T) {
			var b strings.Builder
			if err := render.TextAudit(&b, tc.audit); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(b.String()), "\n")
			if got := lines[len(lines)-1]; got != tc.last {
				t.Errorf("got  %s\nwant %s", got, tc.last)
			}
			if tc.audit.Violated() != tc.violated {
				t.Errorf("violated: %v", tc.audit.Violated())
			}
		})
	}
}

func TestAnAuditSaysWhatItHadNothingToJudgeOf(t *testing.T) {
	a := finding.Audit{
		Org: "acme", Live: true,
		Orgs:       []finding.AuditedOrg{{Org: "acme", Unfinished: []string{"its onboarding has begun", "cluster: it was never made"}}},
		StatesOnly: []finding.StatesOnly{{Way: "snapshot-lifecycle", Title: "Lifecycle policies", Why: "no call"}, {Way: "other", Title: "Other", Why: "no call"}},
	}
	var b strings.Builder
	if err := render.TextAudit(&b, a); err != nil {
		t.Fatal(err)
	}
	want := `unfinished acme: its onboarding has begun
unfinished acme: cluster: it was never made
2 ways of sharing were looked for in states, and not in the accounts (--output json lists them, and why)
acme: nothing is shared and no rule is violated in what was made; 1 org is unfinished (1 org, 0 resources, 0s)
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAnEdgeOutOfAnOrgSaysToWhom(t *testing.T) {
	from := finding.End{Org: "acme", Type: "aws:sns/topicPolicy:TopicPolicy", Name: "alarms", Path: "policy"}
	a := finding.Audit{
		Org: "acme", Live: true, Orgs: []finding.AuditedOrg{{Org: "acme"}},
		Edges: []finding.Edge{
			{Kind: "policy", Rule: "FH305", From: from, To: finding.End{Type: "aws:organizations/account:Account", ID: "444455556666"}, Value: "arn:aws:iam::444455556666:root"},
			{Kind: "policy", Rule: "FH305", From: from, To: finding.End{Type: finding.Anybody, Name: "anybody"}, Value: "*"},
			{Kind: "policy", Rule: "FH305", From: from, To: finding.End{Org: "globex", Type: "aws:iam/role:Role", Name: "node"}, Value: "arn:aws:iam::310987654321:role/node"},
		},
	}
	var b strings.Builder
	if err := render.TextAudit(&b, a); err != nil {
		t.Fatal(err)
	}
	want := `FH002 critical  policy from acme to account 444455556666: arn:aws:iam::444455556666:root
    from    acme aws:sns/topicPolicy:TopicPolicy "alarms" at policy
    to      account 444455556666
    breaks  FH305
FH002 critical  policy from acme to anybody: *
    from    acme aws:sns/topicPolicy:TopicPolicy "alarms" at policy
    to      anybody
    breaks  FH305
FH002 critical  policy from acme to globex: arn:aws:iam::310987654321:role/node
    from    acme aws:sns/topicPolicy:TopicPolicy "alarms" at policy
    to      globex aws:iam/role:Role "node"
    breaks  FH305
acme: 1 path from one org to another, 2 paths out of an org to no other (1 org, 0 resources, 0s)
`
	if d := cmp.Diff(want, b.String()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	var said []string
	for _, f := range render.PolicyFindings(a) {
		said = append(said, f.Message)
	}
	if d := cmp.Diff([]string{
		"policy to account 444455556666, which is no org: arn:aws:iam::444455556666:root; it breaks FH305",
		"policy to anybody, which is no org: *; it breaks FH305",
		`policy to globex aws:iam/role:Role "node" of org globex: arn:aws:iam::310987654321:role/node; it breaks FH305`,
	}, said); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
