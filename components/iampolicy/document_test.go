package iampolicy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/components/iampolicy"
)

func TestADocumentPrintsMinifiedAndInTheSameOrder(t *testing.T) {
	doc := iampolicy.New(
		iampolicy.Statement{
			Sid: "One", Effect: iampolicy.Allow, Principal: iampolicy.Services("a.amazonaws.com", "b.amazonaws.com"),
			Action: iampolicy.Values{"s3:Get*"}, Resource: iampolicy.Values{"arn:aws:s3:::a", "arn:aws:s3:::a/*"},
			Condition: iampolicy.Condition{
				"StringLike":   {"b": {"<&>"}, "a": {"1", "2"}},
				"StringEquals": {"c": {"3"}},
			},
		},
		iampolicy.Statement{Effect: iampolicy.Deny, Principal: iampolicy.Anyone(), NotAction: iampolicy.Values{"iam:*"}, NotResource: iampolicy.Values{"*"}},
		iampolicy.Statement{Effect: iampolicy.Allow, Principal: iampolicy.Principals("arn:aws:iam::1:root"), Action: iampolicy.Values{"sts:AssumeRole"}},
	)
	want := `{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"One","Effect":"Allow","Principal":{"Service":["a.amazonaws.com","b.amazonaws.com"]},"Action":"s3:Get*","Resource":["arn:aws:s3:::a","arn:aws:s3:::a/*"],` +
		`"Condition":{"StringEquals":{"c":"3"},"StringLike":{"a":["1","2"],"b":"<&>"}}},` +
		`{"Effect":"Deny","Principal":"*","NotAction":"iam:*","NotResource":"*"},` +
		`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1:root"},"Action":"sts:AssumeRole"}]}`
	if diff := cmp.Diff(want, doc.String()); diff != "" {
		t.Errorf("String (-want +got):\n%s", diff)
	}
	read, err := iampolicy.Parse(want)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(doc, read); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

func TestParseReadsAllOrNothing(t *testing.T) {
	tests := map[string]struct {
		statement string
		want      iampolicy.Statement
		refused   bool
	}{
		"a list of one":         {statement: `{"Action":["a:B"]}`, want: iampolicy.Statement{Action: iampolicy.Values{"a:B"}}},
		"a plain true":          {statement: `{"Condition":{"Bool":{"k":true}}}`, want: iampolicy.Statement{Condition: iampolicy.Condition{"Bool": {"k": {"true"}}}}},
		"a number":              {statement: `{"Action":7}`, refused: true},
		"an unknown element":    {statement: `{"NotPrincipal":"*"}`, refused: true},
		"a federated principal": {statement: `{"Principal":{"Federated":"x"}}`, refused: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := iampolicy.Parse(`{"Version":"2012-10-17","Statement":[` + tt.statement + `]}`)
			if tt.refused {
				if err == nil {
					t.Errorf("%s was read as %v", tt.statement, got)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(iampolicy.New(tt.want), got); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}
