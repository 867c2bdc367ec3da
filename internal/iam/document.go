// Package iam holds policy documents as typed values: what AWS reads as JSON in
// permissions boundaries, trust, key, bucket, service control and resource
// control policies. It is the one place that reads documents (Parse, Decode),
// matches patterns (Match, Covers, Touches), evaluates requests (Evaluate) and
// takes ARNs apart (ParseARN). A Document prints the same text for the same
// value, without white space, because Organizations counts white space against
// a policy's size. The documents of components are of the partition "aws".
package iam

import (
	"bytes"
	"encoding/json"
	"iter"
)

// AWS's size limits, in characters of the minified document.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	MaxServiceControl  = 10240
	MaxResourceControl = 5120
	MaxManaged         = 6144
	MaxInline          = 10240 // all inline policies of a role together
	MaxTrust           = 2048
	MaxBucket          = 20480
	MaxKey             = 32768
)

// The versions of the policy language. A document that names none is of 2008,
// which has no policy variables.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html
const (
	version2012 = "2012-10-17"
	version2008 = "2008-10-17"
)

// Document is one policy.
type Document struct {
	Version   string      `json:"Version,omitempty"`
	ID        string      `json:"Id,omitempty"`
	Statement []Statement `json:"Statement"`
}

// New returns the document of these statements.
func New(statements ...Statement) Document {
	return Document{Version: version2012, Statement: statements}
}

// String returns the document as AWS stores it: JSON without white space.
func (d Document) String() string { return text(d) }

// String returns the statement as JSON without white space, for a report.
func (s Statement) String() string { return text(s) }

// Effect is what a statement does with the requests that it fits.
type Effect string

// The effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Statement is one rule of a policy. Of Action and NotAction exactly one is
// set; so of Resource and NotResource, but in trust policies, which have neither,
// and of Principal and NotPrincipal in policies of resources. An element that a
// document lacks is nil, and an empty list is not.
type Statement struct {
	Sid          string     `json:"Sid,omitempty"` // letters and digits only
	Effect       Effect     `json:"Effect"`
	Principal    *Principal `json:"Principal,omitempty"`    // in resource-based policies only
	NotPrincipal *Principal `json:"NotPrincipal,omitempty"` // everybody but these
	Action       Values     `json:"Action,omitzero"`
	NotAction    Values     `json:"NotAction,omitzero"`
	Resource     Values     `json:"Resource,omitzero"`
	NotResource  Values     `json:"NotResource,omitzero"`
	Condition    Condition  `json:"Condition,omitempty"`
}

// Condition narrows a statement: operator, to context key, to values. All
// operators and keys must hold; of a key's values one is enough, and for a
// negated operator none may match. Operators and keys are as they were written;
// the case of a key does not matter.
type Condition map[string]map[string]Values

// Any reports whether one of the condition's lines is as asked.
func (c Condition) Any(is func(operator, key string, values Values) bool) bool {
	for operator, keys := range c {
		for key, values := range keys {
			if is(operator, key, values) {
				return true
			}
		}
	}
	return false
}

// Values is a list that prints as a plain string when it has one element.
type Values []string

// MarshalJSON implements json.Marshaler.
func (v Values) MarshalJSON() ([]byte, error) {
	if len(v) == 1 {
		return marshal(v[0])
	}
	return marshal([]string(v))
}

// Principal says to whose requests a resource-based policy applies.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
type Principal struct {
	AWS           Values // accounts, roles, users and sessions, by ARN or id
	Service       Values // "logs.eu-central-1.amazonaws.com"
	Federated     Values // identity providers
	CanonicalUser Values
	Anyone        bool // "*"; the others must be empty
}

// All yields the principals that are named, each with its kind: "AWS",
// "Service", "Federated", "CanonicalUser". "*" by itself comes as AWS "*", which
// AWS documents as the same. Nobody is named by nil.
func (p *Principal) All() iter.Seq2[string, string] {
	return func(yield func(kind, id string) bool) {
		if p == nil {
			return
		}
		if p.Anyone && !yield("AWS", "*") {
			return
		}
		for _, k := range []struct {
			kind string
			ids  Values
		}{{"AWS", p.AWS}, {"CanonicalUser", p.CanonicalUser}, {"Federated", p.Federated}, {"Service", p.Service}} {
			for _, id := range k.ids {
				if !yield(k.kind, id) {
					return
				}
			}
		}
	}
}

// Has reports whether a principal is named, by the kind and id of All.
func (p *Principal) Has(kind, id string) bool {
	for k, i := range p.All() {
		if k == kind && i == id {
			return true
		}
	}
	return false
}

// MarshalJSON implements json.Marshaler.
func (p Principal) MarshalJSON() ([]byte, error) {
	if p.Anyone {
		return []byte(`"*"`), nil
	}
	return marshal(struct {
		AWS           Values `json:"AWS,omitzero"`
		Service       Values `json:"Service,omitzero"`
		Federated     Values `json:"Federated,omitzero"`
		CanonicalUser Values `json:"CanonicalUser,omitzero"`
	}{p.AWS, p.Service, p.Federated, p.CanonicalUser})
}

// Anyone is the principal of a statement that is for everybody, also for who
// did not sign in. Beside Deny it needs a condition that closes it.
func Anyone() *Principal { return &Principal{Anyone: true} }

// Services is the principal of AWS services.
func Services(names ...string) *Principal { return &Principal{Service: names} }

// Principals is the principal of roles and accounts, by ARN.
func Principals(arns ...string) *Principal { return &Principal{AWS: arns} }

// text is JSON without white space.
func text(v any) string {
	b, err := marshal(v)
	if err != nil {
		panic(err) // strings, lists and maps of strings: nothing can fail
	}
	return string(b)
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // "&" and "<" would count six characters each
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
