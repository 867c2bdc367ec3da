package iam_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/iam"
)

type object = map[string]any

func TestADocumentIsReadInEveryFormThatAWSTakes(t *testing.T) {
	want := iam.Document{Statement: []iam.Statement{{
		Sid: "One", Effect: iam.Allow,
		Principal: &iam.Principal{AWS: iam.Values{"210987654321"}, Service: iam.Values{"a.amazonaws.com", "b.amazonaws.com"}},
		Action:    iam.Values{"s3:GetObject"}, NotResource: iam.Values{"*"},
		Condition: iam.Condition{"Bool": {"aws:SecureTransport": {"true"}}, "NumericLessThan": {"s3:max-keys": {"10"}}},
	}}}
	for name, v := range map[string]any{
		"a statement without a list, texts without lists, and plain values": `{"Statement": {"Sid": "One", "Effect": "Allow",
			"Principal": {"AWS": "210987654321", "Service": ["a.amazonaws.com", "b.amazonaws.com"]}, "Action": "s3:GetObject", "NotResource": "*",
			"Condition": {"Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"s3:max-keys": 10}}}}`,
		"lists of one": `{"Statement": [{"Sid": "One", "Effect": "Allow",
			"Principal": {"AWS": ["210987654321"], "Service": ["a.amazonaws.com", "b.amazonaws.com"]}, "Action": ["s3:GetObject"], "NotResource": ["*"],
			"Condition": {"Bool": {"aws:SecureTransport": ["true"]}, "NumericLessThan": {"s3:max-keys": ["10"]}}}]}`,
		"escapes": `{"Statement": {"Sid": "On\u0065", "Effect": "\u0041llow", "\u0050rincipal": {"AWS": "21098765432\u0031",
			"Service": ["a.amazonaws.com", "b.amazonaws.com"]}, "Action": "s3:GetObject", "NotResource": "*",
			"Condition": {"Bool": {"aws:SecureTransport": true}, "NumericLessThan": {"s3:max-keys": 10}}}}`,
		"an object whose elements are in lower case and partly null": object{"statement": []any{object{
			"sid": "One", "effect": "Allow", "principal": object{"AWS": "210987654321", "Service": []any{"a.amazonaws.com", "b.amazonaws.com"}},
			"notPrincipal": nil, "action": "s3:GetObject", "notResource": "*",
			"condition": object{"Bool": object{"aws:SecureTransport": true}, "NumericLessThan": object{"s3:max-keys": 10.0}},
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			read := iam.Decode
			if text, ok := v.(string); ok {
				read = func(any) (iam.Document, error) { return iam.Parse(text) }
			}
			got, err := read(v)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestAnEmptyListIsNotAnAbsentOne(t *testing.T) {
	const text = `{"Statement":[{"Effect":"Deny","Principal":{"AWS":[]},"NotAction":[],"Resource":[]}]}`
	got, err := iam.Parse(text)
	want := iam.Document{Statement: []iam.Statement{{
		Effect: iam.Deny, Principal: &iam.Principal{AWS: iam.Values{}}, NotAction: iam.Values{}, Resource: iam.Values{},
	}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
	if got.String() != text {
		t.Errorf("String: %s, want %s", got, text)
	}
}

// What the readers that this one replaced took in different ways is marked with
// where AWS decides it.
func TestWhatIsNotADocumentIsRefusedWithItsPlace(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"no JSON":                       {`{`, "EOF"},
		"an empty text":                 {``, "EOF"},
		"more after it":                 {`{"Statement": []} {"Statement": []}`, "more text after"},
		"a list":                        {`[]`, "must be a JSON object"},
		"a number":                      {`7`, "must be a JSON object"},
		"an element of no policy":       {`{"Statements": []}`, `unknown element "Statements"`},
		"an element of no statement":    {`{"Statement": [{"Effect": "Deny", "Action": "*", "Resources": "*"}]}`, `Statement[0]: unknown element "Resources"`},
		"a key twice":                   {`{"Statement": [], "Statement": [{"Effect": "Allow"}]}`, `"Statement" appears twice`}, // reference_policies_grammar
		"a key twice, in other letters": {`{"Statement": [], "statement": [{"Effect": "Allow"}]}`, "has Statement twice"},
		"a key twice in a condition":    {`{"Statement": [{"Effect": "Allow", "Condition": {"Bool": {"a:b": "true", "a:b": "false"}}}]}`, `"a:b" appears twice`},
		"a condition key twice, in other letters":      {`{"Statement": [{"Effect": "Allow", "Condition": {"StringEquals": {"aws:SourceAccount": "1", "AWS:sourceaccount": "2"}}}]}`, `has the key "aws:SourceAccount" twice`},
		"a tag in a condition twice, in other letters": {`{"Statement": [{"Effect": "Allow", "Condition": {"StringEquals": {"aws:PrincipalTag/Team": "a", "aws:PrincipalTag/team": "b"}}}]}`, `has the key "aws:PrincipalTag/team" twice`},
		"an operator twice, in other letters":          {`{"Statement": [{"Effect": "Allow", "Condition": {"StringEquals": {"a:b": "1"}, "stringequals": {"a:c": "2"}}}]}`, "Statement[0].Condition: has the operator stringequals twice"},
		"a qualifier twice, in other letters":          {`{"Statement": [{"Effect": "Allow", "Condition": {"ForAllValues:Bool": {"a:b": "1"}, "forAllValues:Bool": {"a:c": "2"}}}]}`, "has the operator forAllValues:Bool twice"},
		"a condition key with a long s":                {`{"Statement": [{"Effect": "Allow", "Condition": {"StringEquals": {"awſ:SourceAccount": "1"}}}]}`, "only looks like"},
		"a condition key with a sign for kelvin":       {`{"Statement": [{"Effect": "Allow", "Condition": {"StringEquals": {"aws:To\u212aenIssueTime": "1"}}}]}`, "only looks like"},
		"an element with a long s":                     {`{"Statement": [{"Effect": "Allow", "Action": "*", "Reſource": "*"}]}`, `unknown element "Reſource"`},
		"no effect":                                    {`{"Statement": [{"Action": "*"}]}`, `Statement[0].Effect: must be Allow or Deny, got ""`},
		"an effect of neither kind":                    {`{"Statement": [{"Effect": "Permit", "Action": "*"}]}`, `got "Permit"`},
		"an effect in small letters":                   {`{"Statement": [{"Effect": "allow", "Action": "*"}]}`, `got "allow"`}, // reference_policies_elements_effect
		"a version of the future":                      {`{"Version": "2030-01-01", "Statement": []}`, `Version: must be "2012-10-17"`},
		"Action and NotAction":                         {`{"Statement": [{"Effect": "Allow", "Action": "*", "NotAction": "iam:*"}]}`, "both Action and NotAction"},
		"Principal and NotPrincipal":                   {`{"Statement": [{"Effect": "Allow", "Principal": "*", "NotPrincipal": {"AWS": "1"}}]}`, "both Principal and NotPrincipal"},
		"an action that is an object":                  {`{"Statement": [{"Effect": "Allow", "Action": {"a": 1}}]}`, "Statement[0].Action: must be text"},
		"an action that is a number":                   {`{"Statement": [{"Effect": "Allow", "Action": 7}]}`, "Statement[0].Action: must be text"}, // reference_policies_grammar: action_string
		"a condition that is a list":                   {`{"Statement": [{"Effect": "Allow", "Condition": []}]}`, "Statement[0].Condition: must be an object"},
		"a condition's key that is text":               {`{"Statement": [{"Effect": "Allow", "Condition": {"Bool": "true"}}]}`, "Statement[0].Condition.Bool: must be an object"},
		"a condition's value of null":                  {`{"Statement": [{"Effect": "Allow", "Condition": {"Bool": {"a:b": null}}}]}`, `Statement[0].Condition.Bool["a:b"]: must be text`},
		"a principal that is a list":                   {`{"Statement": [{"Effect": "Allow", "Principal": ["*"]}]}`, "Statement[0].Principal: must be"},
		"a principal without its kind":                 {`{"Statement": [{"Effect": "Allow", "Principal": "arn:aws:iam::1:root"}]}`, `Statement[0].Principal: must be "*"`},
		"a principal of another kind":                  {`{"Statement": [{}, {"Effect": "Allow", "Principal": {"Aws": "*"}}]}`, `Statement[0].Effect`},
		"a kind of principal of nobody":                {`{"Statement": [{"Effect": "Allow", "Principal": {"Group": "x"}}]}`, "Statement[0].Principal.Group: is not a kind"},
		"a statement that is a text":                   {`{"Statement": "Allow"}`, "Statement[0]: must be a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := iam.Parse(tt.text)
			if !errors.Is(err, iam.ErrMalformed) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse: %v, error %v, want %q in it", d, err, tt.want)
			}
			var into iam.Document
			if err := json.Unmarshal([]byte(tt.text), &into); err == nil {
				t.Errorf("json.Unmarshal read it as %v", into)
			}
		})
	}
}

func TestTheKnownPartOfADocumentIsReadWithoutTheRest(t *testing.T) {
	type unknown struct{}
	isUnknown := func(v any) bool { _, is := v.(unknown); return is }
	open := object{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
	one := iam.Document{Statement: []iam.Statement{{Effect: iam.Allow, Principal: iam.Anyone(), Action: iam.Values{"s3:GetObject"}}}}
	for name, tt := range map[string]struct {
		v     any
		want  iam.Document
		whole bool
		fault string
	}{
		"all of it":                            {v: object{"Statement": open}, want: one, whole: true},
		"beside an unknown statement":          {v: object{"Statement": []any{unknown{}, open}}, want: one},
		"beside an unknown inside a statement": {v: object{"Statement": []any{open, object{"Effect": "Allow", "Principal": object{"AWS": []any{unknown{}}}}}}, want: one},
		"with an unknown version":              {v: object{"Version": unknown{}, "Statement": open}, want: one},
		"all unknown":                          {v: object{"Statement": unknown{}}},
		"a fault keeps its index":              {v: object{"Statement": []any{unknown{}, object{"Effect": "?"}}}, fault: "Statement[1].Effect"},
	} {
		t.Run(name, func(t *testing.T) {
			got, whole, err := iam.DecodeKnown(tt.v, isUnknown)
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) {
					t.Errorf("DecodeKnown: %v, error %v, want %q in it", got, err, tt.fault)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || whole != tt.whole || err != nil {
				t.Errorf("whole %v, error %v (-want +got):\n%s", whole, err, diff)
			}
		})
	}
}

// A customer's policy is any text at all.
func FuzzParse(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}`)
	f.Add(`{"Statement":{"Effect":"Allow","Principal":{"AWS":["*",1,true]},"Condition":{"Null":{"a":null}}}}`)
	f.Add(`{"Statement":{"Effect":"Allow","NotAction":"${aws:x, 'y'}","Condition":{"ForAllValues:NumericLessThanIfExists":{"a":7e400}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := iam.Parse(text)
		if err != nil {
			if !errors.Is(err, iam.ErrMalformed) {
				t.Errorf("%q: error %v is of no kind", text, err)
			}
			return
		}
		d.Evaluate(iam.Request{Action: "sts:AssumeRole", Resource: "*", Principal: role, Context: map[string]string{"a": "7"}, Unknown: []string{"*"}})
		again, err := iam.Parse(d.String())
		if err != nil || again.String() != d.String() {
			t.Errorf("%q prints as %s, and that reads as %s, error %v", text, d, again, err)
		}
	})
}
