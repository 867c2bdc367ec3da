package boundaries

import (
	"testing"

	"freehold.dev/freehold/policies/document"
)

// The boundary's denials are asked for, so one that may not fit is not counted.
func TestADenialWithACondition(t *testing.T) {
	const boundary = "arn:aws:iam::210987654321:policy/b"
	for name, c := range map[string]struct {
		condition string
		want      bool
	}{
		"none":                            {`{}`, true},
		"but with the boundary":           {`{"StringNotEquals":{"iam:PermissionsBoundary":"` + boundary + `"}}`, true},
		"but with the boundary, by ARN":   {`{"ArnNotEqualsIfExists":{"iam:permissionsboundary":["` + boundary + `"]}}`, true},
		"but with another one":            {`{"StringNotEquals":{"iam:PermissionsBoundary":"` + boundary + `2"}}`, false},
		"but with one of two":             {`{"StringNotEquals":{"iam:PermissionsBoundary":["` + boundary + `","x"]}}`, false},
		"and with another key":            {`{"StringNotEquals":{"iam:PermissionsBoundary":"` + boundary + `","a:b":"c"}}`, false},
		"and with another operator":       {`{"StringNotEquals":{"iam:PermissionsBoundary":"` + boundary + `"},"Null":{"a:b":"true"}}`, false},
		"of the wrong kind":               {`{"StringEquals":{"iam:PermissionsBoundary":"` + boundary + `"}}`, false},
		"an operator without a key":       {`{"StringNotEquals":{}}`, false},
		"an operator that is not of ours": {`{"StringNotMatches":{"iam:PermissionsBoundary":"` + boundary + `"}}`, false},
	} {
		d, err := document.Parse(`{"Statement":{"Effect":"Deny","Condition":` + c.condition + `}}`)
		if err != nil {
			t.Fatal(err)
		}
		if got := exceptsOnly(d.Statement[0].Condition, boundary); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
