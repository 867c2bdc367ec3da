package render

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/finding"
)

// The rules of the fleet check, which looks at orgs together. They are not in
// package policies, whose rules look at one org.
const (
	SharedIdentityRule = "FH001"
	EdgeRule           = "FH002"
)

// fleetRules describe the fleet's rules as a policy finding describes its own.
var fleetRules = map[string]finding.Policy{
	SharedIdentityRule: {
		Rule: SharedIdentityRule, Title: "A physical identity has one org", Severity: "critical",
		Why:      "two customers that own the same thing can reach each other's data or control it",
		Fix:      "find out which org owns it, create a separate one for the other org, and onboard both again",
		Criteria: []string{"CC6.1", "CC6.3"},
	},
	EdgeRule: {
		Rule: EdgeRule, Title: "No resource of one org leads to another org's", Severity: "critical",
		Why:      "a trust, policy, grant, route or association lets one customer reach another",
		Fix:      "remove it from the resource that has it; freehold onboard restores what the layer declares",
		Criteria: []string{"CC6.1", "CC6.3", "CC6.6"},
	},
}

// PolicyFindings are all findings of the audit in one form. What two orgs share
// is a finding of each of its ends.
func PolicyFindings(a finding.Audit) []finding.Policy {
	out := slices.Clone(a.Findings)
	at := func(rule string, e finding.End) finding.Policy {
		f := fleetRules[rule]
		f.Org, f.Layer, f.Path, f.Answer = e.Org, e.Layer, e.Path, "violated"
		f.Resource = finding.Resource{Type: e.Type, Name: e.Name, URN: e.URN, ID: e.ID}
		return f
	}
	for _, s := range a.Shared {
		for i, e := range s.Ends {
			f := at(SharedIdentityRule, e)
			var others []string
			for _, o := range slices.Concat(s.Ends[:i], s.Ends[i+1:]) {
				others = append(others, textEnd(o))
			}
			f.Message = fmt.Sprintf("%s %s also belongs to %s", s.Kind, s.Value, strings.Join(others, "; "))
			out = append(out, f)
		}
	}
	for _, e := range a.Edges {
		f := at(EdgeRule, e.From)
		f.Statement = e.Statement
		f.Message = fmt.Sprintf("%s to %s of org %s: %s", e.Kind, textEnd(e.To), e.To.Org, e.Value)
		if e.To.Org == "" {
			f.Message = fmt.Sprintf("%s to %s, which is no org: %s", e.Kind, destination(e.To), e.Value)
		}
		if e.Rule != "" {
			f.Message += "; it breaks " + e.Rule
		}
		out = append(out, f)
	}
	return out
}

// SARIF writes findings about an org, or EveryOrg, as SARIF 2.1.0:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. The
// document allows no property of its own at the top, so the org is in its
// property bag.
func SARIF(w io.Writer, org string, findings []finding.Policy) error {
	return JSON(w, sarifLog{
		Schema:     "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version:    "2.1.0",
		Runs:       []sarifRun{sarifRunOf(findings, nil)},
		Properties: map[string]any{"org": org},
	})
}

// SARIFAudit writes an audit as SARIF 2.1.0. When something could not be read,
// the run is marked as unsuccessful: it must not pass for a clean one.
func SARIFAudit(w io.Writer, a finding.Audit) error {
	return JSON(w, sarifLog{
		Schema:     "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
		Version:    "2.1.0",
		Runs:       []sarifRun{sarifRunOf(PolicyFindings(a), a.Unread)},
		Properties: map[string]any{"org": a.Org},
	})
}

func sarifRunOf(findings []finding.Policy, unread []finding.Unread) sarifRun {
	run := sarifRun{
		Tool: sarifTool{Driver: sarifDriver{Name: "freehold", Rules: []sarifRule{}}},
		BaseIDs: map[string]sarifBase{
			"STACKS": {Description: sarifText{"the Pulumi stacks of project freehold, ORG.LAYER"}},
		},
		Invocations: []sarifInvocation{{Successful: len(unread) == 0}},
		Results:     []sarifResult{},
	}
	for _, u := range unread {
		run.Invocations[0].Notes = append(run.Invocations[0].Notes, sarifNote{
			Level: "error", Message: sarifText{fmt.Sprintf("could not read %s %s: %s", u.Org, u.Layer, u.Message)},
			Properties: map[string]any{"org": u.Org},
		})
	}
	index := map[string]int{}
	for _, f := range findings {
		n, known := index[f.Rule]
		if !known {
			n = len(run.Tool.Driver.Rules)
			index[f.Rule] = n
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRuleOf(f))
		}
		run.Results = append(run.Results, sarifResultOf(f, n))
	}
	return run
}

func sarifRuleOf(f finding.Policy) sarifRule {
	return sarifRule{
		ID: f.Rule, Short: sarifText{orElse(f.Title, f.Rule)}, Full: sarifText{orElse(f.Why, f.Rule)}, Help: sarifText{orElse(f.Fix, f.Rule)},
		Default: sarifLevel{level(f.Severity)},
		Properties: map[string]any{
			"tags": append([]string{"security"}, f.Criteria...),
			// What code scanning sorts by, from 0 to 10.
			"security-severity": map[string]string{"critical": "9.5", "high": "8.0", "medium": "5.0"}[f.Severity],
		},
	}
}

func sarifResultOf(f finding.Policy, rule int) sarifResult {
	message := f.Message
	if f.Path != "" {
		message += "; at " + f.Path
	}
	if f.Statement != "" {
		message += ": " + f.Statement
	}
	stack := f.Org
	if f.Layer != "" {
		stack += "." + f.Layer
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{f.Rule, f.Org, f.Layer, f.Resource.Type, f.Resource.Name, f.Resource.URN, f.Path}, "\x00")))
	r := sarifResult{
		RuleID: f.Rule, RuleIndex: rule, Level: level(f.Severity), Message: sarifText{message + ". Fix: " + f.Fix},
		Locations: []sarifLocation{{
			Physical: sarifPhysical{Artifact: sarifArtifact{URI: stack, BaseID: "STACKS"}},
			Logical: []sarifLogical{{
				Name: f.Resource.Name, FullName: orElse(f.Resource.URN, f.Resource.Type+"::"+f.Resource.Name), Kind: "resource",
			}},
		}},
		// The same thing found again is the same result, whatever stands around it.
		Fingerprints: map[string]string{"freehold/v1": hex.EncodeToString(sum[:16])},
		Properties: map[string]any{
			"org": f.Org, "layer": f.Layer, "type": f.Resource.Type, "answer": f.Answer, "path": f.Path, "statement": f.Statement,
		},
	}
	if f.Exception != nil {
		r.Suppressions = []sarifSuppression{{
			// Accepted: what has no other status is. Its name is not the same in all
			// editions of the schema.
			Kind:          "external",
			Justification: fmt.Sprintf("%s (approved by %s, until %s)", f.Exception.Reason, f.Exception.Approver, f.Exception.Expires),
		}}
	}
	return r
}

func level(severity string) string {
	if severity == "medium" {
		return "warning"
	}
	return "error"
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
