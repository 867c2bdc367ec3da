package policies

import (
	"encoding/json"
	"errors"
	"testing"

	"freehold.dev/freehold/internal/iam"
)

func TestWhatIsKnownOfADocumentIsJudgedWhileTheRestIsNot(t *testing.T) {
	open := object{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
	d, err := parseDocument(object{"Statement": list{open, object{"Effect": "Allow", "Principal": object{"AWS": Unknown{}}, "Action": "*"}}})
	if !errors.Is(err, errUndecided) || len(d.Statement) != 1 {
		t.Fatalf("%+v, error %v", d, err)
	}
	for name, c := range map[string]struct {
		policy any
		want   Answer
	}{
		"an open statement beside an unknown one":  {object{"Statement": list{open, Unknown{}}}, Violated},
		"a closed statement beside an unknown one": {object{"Statement": list{object{"Effect": "Deny", "Principal": "*", "Action": "*"}, Unknown{}}}, Undecided},
		"an unknown document":                      {Unknown{}, Undecided},
		"no document":                              {nil, Pass},
		"an empty document":                        {"{}", Pass},
		"an empty text":                            {" ", Pass},
		"what is not a document":                   {`{"Statement": [{"Effect": "Deny"`, Violated},
		"a number":                                 {7.0, Violated},
	} {
		e := example(name, "aws:s3/bucketPolicy:BucketPolicy", object{"policy": c.policy})
		if got := on(checkResourcePolicy)(e.Resource, e.Scope); got.Answer != c.want {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
	}
}

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
		d, err := parseDocument(`{"Statement":{"Effect":"Deny","Condition":` + c.condition + `}}`)
		if err != nil {
			t.Fatal(err)
		}
		if got := exceptsOnly(d.Statement[0].Condition, boundary); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A customer's policy is any text at all.
func FuzzDocument(f *testing.F) {
	f.Add(statements(fence...))
	f.Add(`{"Statement":{"Effect":"Allow","Principal":{"AWS":["*"]},"Condition":{"Null":{"a":true}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDocument(text)
		if err != nil && !errors.Is(err, iam.ErrMalformed) {
			t.Errorf("%q: error %v is of no kind", text, err)
		}
		for _, st := range d.Statement {
			outsiders(st, exampleAccount)
			services(st, exampleAccount)
		}
		Mentions(text)
	})
}

func oneLine(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a case that is written wrong
	}
	return string(b)
}
