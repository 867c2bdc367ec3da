package judge_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/judge"
	"freehold.dev/freehold/policies"
)

const bucket = "aws:s3/bucketV2:BucketV2"

func says(v policies.Verdict) func(policies.Resource, policies.Scope) policies.Verdict {
	return func(policies.Resource, policies.Scope) policies.Verdict { return v }
}

func TestAnAnswerThatIsNoPassIsReported(t *testing.T) {
	one := []policies.Finding{{Path: "acl", Statement: "s", Message: "it is public"}}
	accepted := policies.Exception{Rule: "FH601", Resource: "site", Reason: "a reason", Approver: "ciso", Expires: "2099-01-01"}
	shown := &finding.Exception{Reason: "a reason", Approver: "ciso", Expires: "2099-01-01"}
	type reported struct {
		Answer, Path, Message string
		Exception             *finding.Exception
	}
	for reason, tc := range map[string]struct {
		rule   policies.Rule
		except policies.Exception
		want   []reported
	}{
		"a pass is not reported":   {rule: policies.Rule{Check: says(policies.Verdict{Answer: policies.Pass})}},
		"a violation is reported":  {rule: policies.Rule{Check: says(policies.Verdict{Answer: policies.Violated, Findings: one})}, want: []reported{{"violated", "acl", "it is public", nil}}},
		"what is open is reported": {rule: policies.Rule{Check: says(policies.Verdict{Answer: policies.Undecided, Findings: one})}, want: []reported{{"undecided", "acl", "it is public", nil}}},
		"an answer that is none":   {rule: policies.Rule{Check: says(policies.Verdict{Answer: "perhaps", Findings: one})}, want: []reported{{"violated", "acl", "it is public", nil}}},
		"a violation without more": {rule: policies.Rule{Check: says(policies.Verdict{Answer: policies.Violated})}, want: []reported{{"violated", "", "it does not hold: buckets are private", nil}}},
		"an accepted one says so": {
			rule: policies.Rule{Check: says(policies.Verdict{Answer: policies.Violated, Findings: one})}, except: accepted,
			want: []reported{{"violated", "acl", "it is public", shown}},
		},
		"of another resource it does not count": {
			rule:   policies.Rule{Check: says(policies.Verdict{Answer: policies.Violated, Findings: one})},
			except: policies.Exception{Rule: "FH601", Resource: "other"}, want: []reported{{"violated", "acl", "it is public", nil}},
		},
		"nor of another rule": {
			rule:   policies.Rule{Check: says(policies.Verdict{Answer: policies.Violated, Findings: one})},
			except: policies.Exception{Rule: "FH602", Resource: "site"}, want: []reported{{"violated", "acl", "it is public", nil}},
		},
		"nor where none is allowed": {
			rule:   policies.Rule{NoException: true, Check: says(policies.Verdict{Answer: policies.Violated, Findings: one})},
			except: accepted, want: []reported{{"violated", "acl", "it is public", nil}},
		},
		"a panic is a violation, and nobody has accepted it": {
			rule:   policies.Rule{Check: func(policies.Resource, policies.Scope) policies.Verdict { panic("a bug") }},
			except: accepted, want: []reported{{"violated", "", "could not be evaluated: the rule panicked: a bug", nil}},
		},
		"a rule that does not end is a violation": {
			rule: policies.Rule{Check: func(policies.Resource, policies.Scope) policies.Verdict {
				<-t.Context().Done()
				return policies.Verdict{Answer: policies.Pass}
			}},
			want: []reported{{"violated", "", "could not be evaluated: the rule did not answer within 20ms", nil}},
		},
		"a rule over the stack tells of the resource": {
			rule: policies.Rule{CheckStack: func([]policies.Resource, policies.Scope) map[string]policies.Verdict {
				return map[string]policies.Verdict{"urn:site": {Answer: policies.Violated, Findings: one}, "urn:other": {Answer: policies.Pass}}
			}},
			want: []reported{{"violated", "acl", "it is public", nil}},
		},
		"a panic over the stack is a violation": {
			rule: policies.Rule{CheckStack: func([]policies.Resource, policies.Scope) map[string]policies.Verdict { panic("a bug") }},
			want: []reported{{"violated", "", "could not be evaluated: the rule panicked: a bug", nil}},
		},
		"a rule of other types is not asked": {rule: policies.Rule{Types: []string{"aws:iam/*"}, Check: says(policies.Verdict{Answer: policies.Violated})}},
	} {
		t.Run(reason, func(t *testing.T) {
			r := policies.Resource{URN: "urn:site", Type: bucket, Name: "site"}
			tc.rule.ID, tc.rule.Title = "FH601", "Buckets are private"
			j := judge.Judge{Rules: []policies.Rule{tc.rule}, Scope: policies.Scope{Org: "acme", Exceptions: []policies.Exception{tc.except}}, Within: 20 * time.Millisecond}
			var got []reported
			for _, f := range append(j.Resource(r), j.Stack([]policies.Resource{r, {URN: "urn:other", Type: bucket}})...) {
				got = append(got, reported{f.Answer, f.Path, f.Message, f.Exception})
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("reported (-want +got):\n%s", d)
			}
		})
	}
}
