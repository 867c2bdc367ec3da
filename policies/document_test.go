package policies

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestADocumentIsReadInEveryFormThatAWSTakes(t *testing.T) {
	want := Document{Statements: []Statement{{
		Sid: "One", Allow: true,
		Principals: []Principal{{"AWS", "210987654321"}, {"Service", "a.amazonaws.com"}, {"Service", "b.amazonaws.com"}},
		Actions:    []string{"s3:GetObject"}, Resources: []string{"*"}, NotResources: true,
		Conditions: []Condition{{"Bool", "aws:SecureTransport", []string{"true"}}, {"NumericLessThan", "s3:max-keys", []string{"10"}}},
	}}}
	for name, doc := range map[string]any{
		"a statement without a list, texts without lists, and plain values": `{"Statement": {"Sid": "One", "Effect": "Allow",
			"Principal": {"AWS": "210987654321", "Service": ["a.amazonaws.com", "b.amazonaws.com"]}, "Action": "s3:GetObject", "NotResource": "*",
			"Condition": {"Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"s3:max-keys": 10}}}}`,
		"lists of one": `{"Version": "2012-10-17", "Id": "x", "Statement": [{"Sid": "One", "Effect": "Allow",
			"Principal": {"AWS": ["210987654321"], "Service": ["a.amazonaws.com", "b.amazonaws.com"]}, "Action": ["s3:GetObject"], "NotResource": ["*"],
			"Condition": {"Bool": {"aws:SecureTransport": ["true"]}, "NumericLessThan": {"s3:max-keys": ["10"]}}}]}`,
		"the object of an SDK, whose names are in lower case": object{"statement": list{object{"sid": "One", "effect": "allow",
			"principal": object{"AWS": "210987654321", "Service": list{"a.amazonaws.com", "b.amazonaws.com"}}, "action": "s3:GetObject", "notResource": "*",
			"condition": object{"Bool": object{"aws:SecureTransport": true}, "NumericLessThan": object{"s3:max-keys": 10.0}}}}},
	} {
		got, err := ParseDocument(doc)
		for i := range got.Statements {
			got.Statements[i].JSON = "" // as it was written
		}
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: error %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestWhatIsNoDocumentIsRefused(t *testing.T) {
	for name, doc := range map[string]any{
		"no JSON":                        "{",
		"more after it":                  `{"Statement": []} {"Statement": []}`,
		"a list":                         `[]`,
		"a number":                       7.0,
		"an element that nobody knows":   `{"Statement": [{"Effect": "Deny", "Action": "*", "Resources": "*"}]}`,
		"a key twice":                    `{"Statement": [], "Statement": [{"Effect": "Allow"}]}`,
		"a key twice, in other letters":  `{"Statement": [], "statement": [{"Effect": "Allow"}]}`,
		"no effect":                      `{"Statement": [{"Action": "*"}]}`,
		"an effect of neither kind":      `{"Statement": [{"Effect": "Permit", "Action": "*"}]}`,
		"Action and NotAction":           `{"Statement": [{"Effect": "Allow", "Action": "*", "NotAction": "iam:*"}]}`,
		"Principal and NotPrincipal":     `{"Statement": [{"Effect": "Allow", "Principal": "*", "NotPrincipal": {"AWS": "1"}}]}`,
		"an action that is an object":    `{"Statement": [{"Effect": "Allow", "Action": {"a": 1}}]}`,
		"a condition that is a list":     `{"Statement": [{"Effect": "Allow", "Condition": []}]}`,
		"a condition's key that is text": `{"Statement": [{"Effect": "Allow", "Condition": {"Bool": "true"}}]}`,
		"a principal that is a list":     `{"Statement": [{"Effect": "Allow", "Principal": ["*"]}]}`,
		"a statement that is a text":     `{"Statement": "Allow"}`,
	} {
		if d, err := ParseDocument(doc); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, error %v", name, d, err)
		}
	}
}

func TestWhatIsKnownOfADocumentIsJudgedWhileTheRestIsNot(t *testing.T) {
	open := object{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
	d, err := ParseDocument(object{"Statement": list{open, object{"Effect": "Allow", "Principal": object{"AWS": Unknown{}}, "Action": "*"}}})
	if !errors.Is(err, ErrUndecided) || len(d.Statements) != 1 {
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
	} {
		e := example(name, "aws:s3/bucketPolicy:BucketPolicy", object{"policy": c.policy})
		if got := on(checkResourcePolicy)(e.Resource, e.Scope); got.Answer != c.want {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
	}
}

func TestAStatementCoversWhatItsPatternsSay(t *testing.T) {
	for name, c := range map[string]struct {
		statement Statement
		action    string
		want      bool
	}{
		"a pattern in other letters":             {Statement{Actions: []string{"STS:Assume*"}}, "sts:AssumeRole", true},
		"one character":                          {Statement{Actions: []string{"sts:AssumeRol?"}}, "sts:AssumeRole", true},
		"a pattern that ends too early":          {Statement{Actions: []string{"sts:Assume"}}, "sts:AssumeRole", false},
		"all others":                             {Statement{Actions: []string{"iam:*"}, NotActions: true}, "sts:AssumeRole", true},
		"all others, where it is among the ones": {Statement{Actions: []string{"s*"}, NotActions: true}, "sts:AssumeRole", false},
		"no actions at all":                      {Statement{}, "sts:AssumeRole", false},
	} {
		if got := c.statement.Covers(c.action); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// A customer's policy is any text at all.
func FuzzParseDocument(f *testing.F) {
	f.Add(statements(fence...))
	f.Add(`{"Statement":{"Effect":"Allow","Principal":{"AWS":["*",1,true]},"Condition":{"Null":{"a":null}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDocument(text)
		if err != nil && !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: error %v is of no kind", text, err)
		}
		for _, s := range d.Statements {
			s.Outsiders(exampleAccount)
			s.Services(exampleAccount)
			s.Covers("sts:AssumeRole")
		}
		Mentions(text)
	})
}
