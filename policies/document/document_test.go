package document

import (
	"errors"
	"testing"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/reading"
	"freehold.dev/freehold/policies/rule"
)

func TestStatementsAreReadThoughOthersAreNotKnown(t *testing.T) {
	open := object{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
	d, err := Parse(object{"Statement": list{open, object{"Effect": "Allow", "Principal": object{"AWS": rule.Unknown{}}, "Action": "*"}}})
	if !errors.Is(err, errUndecided) || len(d.Statement) != 1 {
		t.Fatalf("%+v, error %v", d, err)
	}
}

// A customer's policy is any text at all.
func FuzzDocument(f *testing.F) {
	f.Add(`{"Statement":[{"Effect":"Deny","Action":["iam:CreateUser","iam:CreateAccessKey"],"Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	f.Add(`{"Statement":{"Effect":"Allow","Principal":{"AWS":["*"]},"Condition":{"Null":{"a":true}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := Parse(text)
		if err != nil && !errors.Is(err, iam.ErrMalformed) {
			t.Errorf("%q: error %v is of no kind", text, err)
		}
		for _, st := range d.Statement {
			Outsiders(st, example.Account)
			Services(st, example.Account)
		}
		reading.Mentions(text)
	})
}

// How examples write what JSON calls so.
type (
	object = example.Object
	list   = example.List
)
