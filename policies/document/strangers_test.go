package document

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

const partner = "444455556666"

func TestWhomADocumentNamesWhoIsNotOfTheAccount(t *testing.T) {
	const role = "arn:aws:iam::" + partner + ":role/reader"
	for reason, c := range map[string]struct {
		statement string
		want      []string // "LetIn: who", "Trusted: who", "MayReach: who"
	}{
		"another account's root":                  {`"Principal":{"AWS":"` + partner + `"}`, []string{"LetIn 444455556666", "Trusted 444455556666"}},
		"a role of another account":               {`"Principal":{"AWS":"` + role + `"}`, []string{"LetIn " + role, "Trusted " + role}},
		"the account itself":                      {`"Principal":{"AWS":"` + example.Account + `"}`, nil},
		"anybody":                                 {`"Principal":"*"`, []string{"LetIn *", "Trusted *"}},
		"anybody, of the account":                 {`"Principal":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"` + example.Account + `"}}`, nil},
		"anybody, by the topic's default":         {`"Principal":{"AWS":"*"},"Condition":{"StringEquals":{"AWS:SourceOwner":"` + example.Account + `"}}`, nil},
		"anybody, of another account":             {`"Principal":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"` + partner + `"}}`, []string{"LetIn *", "Trusted *"}},
		"anybody, of the organization":            {`"Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abc123"}}`, []string{"LetIn o-abc123", "Trusted o-abc123"}},
		"anybody who is not of some organization": {`"Principal":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":"o-abc123"}}`, []string{"LetIn *", "Trusted *"}},
		"anybody from an address":                 {`"Principal":"*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`, []string{"LetIn *", "Trusted *"}},
		"a condition that nobody can decide":      {`"Principal":"*","Condition":{"StringEqualsIfExists":{"aws:PrincipalAccount":"` + example.Account + `"}}`, []string{"LetIn *", "Trusted *"}},
		"everybody but one":                       {`"NotPrincipal":{"AWS":"` + role + `"}`, []string{"LetIn *", "Trusted *"}},
		"a service, for whichever account":        {`"Principal":{"Service":"events.amazonaws.com"}`, []string{"LetIn * by events.amazonaws.com"}},
		"a service, for the account": {
			`"Principal":{"Service":"events.amazonaws.com"},"Condition":{"StringEquals":{"aws:SourceAccount":"` + example.Account + `"}}`, nil,
		},
		"an identity provider of everybody's":    {`"Principal":{"Federated":"accounts.google.com"}`, []string{"LetIn accounts.google.com", "Trusted accounts.google.com"}},
		"a canonical user":                       {`"Principal":{"CanonicalUser":"79a59df900b949e5"}`, []string{"LetIn 79a59df900b949e5", "Trusted 79a59df900b949e5"}},
		"roles of another account":               {`"Action":"sts:AssumeRole","Resource":["arn:aws:iam::` + example.Account + `:role/own","` + role + `"]`, []string{"LetIn *", "MayReach " + role}},
		"whatever opens itself":                  {`"Action":"*","Resource":"*"`, []string{"LetIn *"}},
		"another account's, by the account only": {`"Action":"s3:*","Resource":"arn:aws:sqs:eu-central-1:` + partner + `:q","Condition":{"StringEquals":{"aws:ResourceAccount":"` + example.Account + `"}}`, []string{"LetIn *"}},
	} {
		t.Run(reason, func(t *testing.T) {
			document := `{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*"},{"Effect":"Allow",` + c.statement + `}]}`
			var got []string
			add := func(what string) func([]Stranger, error) {
				return func(all []Stranger, err error) {
					if err != nil {
						t.Error(err)
					}
					for _, s := range all {
						line := what + " " + s.ID
						if s.By != "" {
							line += " by " + s.By
						}
						if s.Statement == "" {
							t.Errorf("%s: no statement says so", line)
						}
						got = append(got, line)
					}
				}
			}
			add("LetIn")(LetIn(document, example.Account))
			add("Trusted")(Trusted(document, example.Account))
			add("MayReach")(MayReach(document, example.Account))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	for _, document := range []any{`{"Statement":`, rule.Unknown{}, 7.0} {
		if all, err := LetIn(document, example.Account); err == nil {
			t.Errorf("%v: %v, and no error", document, all)
		}
	}
	if all, err := Trusted(`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"`+role+`"}}]}`, example.Account, role); err != nil || len(all) > 0 {
		t.Errorf("a friend is %v, %v", all, err)
	}
	if got := fmt.Sprint(Outside("", example.Account), Outside(example.Account, example.Account), Outside(partner, example.Account), Outside("all", example.Account)); got != "false false true true" {
		t.Error(got)
	}
}
