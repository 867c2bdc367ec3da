package awsprovider

import (
	"testing"

	"freehold.dev/freehold/internal/iam"
)

// A state may hold what the sandbox took before it knew better: a trust policy
// with NotPrincipal, which means the opposite of Principal.
func TestNotPrincipalIsNotPrincipal(t *testing.T) {
	const root = "arn:aws:iam::" + ManagementAccount + ":root"
	b := newWorld(t, "none").backend
	who := provisioner("eu-west-1")
	for name, tt := range map[string]struct {
		exempt string
		want   iam.Verdict
	}{
		"who is left out with his account is not denied": {`["` + Provisioner + `","` + root + `"]`, iam.Allowed},
		"who is not left out is denied":                  {`"arn:aws:iam::222222222222:root"`, iam.Denied},
		"who is left out without his account may be":     {`"` + Provisioner + `"`, iam.Undecided},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := document(statement1(`{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"},
				{"Effect":"Deny","NotPrincipal":{"AWS":` + tt.exempt + `},"Action":"sts:AssumeRole"}`))
			if err != nil {
				t.Fatal(err)
			}
			if got := doc.Evaluate(b.asksToAssume(who, assumption{}, "pulumi")); got != tt.want {
				t.Errorf("Evaluate: %s, want %s", got, tt.want)
			}
		})
	}
}

// A role that assumes the next one calls as itself, in its session.
func TestARoleThatWasAssumedIsTrustedByItsOwnARN(t *testing.T) {
	w := newWorld(t, "none")
	id, l := w.vended("chain")
	first := "arn:aws:iam::" + id + ":role/path/first"
	l.must("first", roleToken, props{"name": "first", "path": "/path/", "assumeRolePolicy": statement1(
		`{"Effect":"Allow","Principal":{"AWS":"` + Provisioner + `"},"Action":"sts:AssumeRole"}`)})
	l.must("second", roleToken, props{"name": "second", "assumeRolePolicy": statement1(
		`{"Effect":"Allow","Principal":{"AWS":"` + first + `"},"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"` + first + `"}}}`)})
	who, err := w.backend.assume(t.Context(), provisioner("eu-west-1"), assumption{roleARN: first}, nil)
	if err != nil {
		t.Fatal(err)
	}
	second := assumption{roleARN: "arn:aws:iam::" + id + ":role/second"}
	if _, err := w.backend.assume(t.Context(), who, second, nil); err != nil {
		t.Errorf("the role's session is refused: %v", err)
	}
	if _, err := w.backend.assume(t.Context(), provisioner("eu-west-1"), second, nil); Code(err) != "AccessDenied" {
		t.Errorf("the provisioner: error %v, want AccessDenied", err)
	}
}
