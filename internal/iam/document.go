// Package iam holds policy documents as typed values: what AWS reads as
// JSON in permissions boundaries, trust, key, bucket, service control and
// resource control policies. A Document prints the same text for the same
// value, without white space, because Organizations counts white space against
// a policy's size. Only the partition "aws" is known.
package iam

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
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

// Document is one policy.
type Document struct {
	Version   string      `json:"Version"`
	Statement []Statement `json:"Statement"`
}

// New returns the document of these statements.
func New(statements ...Statement) Document {
	return Document{Version: "2012-10-17", Statement: statements}
}

// Parse reads a document. Whatever it holds that a Document cannot is an error,
// because a part that is not read is a part that is not judged.
func Parse(text string) (Document, error) {
	var d Document
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return Document{}, fmt.Errorf("read policy document: %w", err)
	}
	return d, nil
}

// String returns the document as AWS stores it: JSON without white space.
func (d Document) String() string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // "&" and "<" would count six characters each
	if err := enc.Encode(d); err != nil {
		panic(err) // strings, lists and maps of strings: nothing can fail
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Effect is what a statement does with the requests that it fits.
type Effect string

// The effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Statement is one rule of a policy. Of Action and NotAction exactly one is
// set; so of Resource and NotResource, but in trust policies, which have neither.
type Statement struct {
	Sid         string     `json:"Sid,omitempty"` // letters and digits only
	Effect      Effect     `json:"Effect"`
	Principal   *Principal `json:"Principal,omitempty"` // in resource-based policies only
	Action      Values     `json:"Action,omitempty"`
	NotAction   Values     `json:"NotAction,omitempty"`
	Resource    Values     `json:"Resource,omitempty"`
	NotResource Values     `json:"NotResource,omitempty"`
	Condition   Condition  `json:"Condition,omitempty"`
}

// Condition narrows a statement: operator, to context key, to values. All
// operators and keys must hold; of a key's values one is enough, and for a
// negated operator none may match.
type Condition map[string]map[string]Values

// Values is a list that prints as a plain string when it has one element.
type Values []string

// MarshalJSON implements json.Marshaler.
func (v Values) MarshalJSON() ([]byte, error) {
	if len(v) == 1 {
		return marshal(v[0])
	}
	return marshal([]string(v))
}

// UnmarshalJSON implements json.Unmarshaler: AWS writes a list of one as it
// likes, and takes plain true and false in conditions.
func (v *Values) UnmarshalJSON(text []byte) error {
	var one any
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	list, isList := one.([]any)
	if !isList {
		list = []any{one}
	}
	out := make(Values, len(list))
	for i, e := range list {
		switch e := e.(type) {
		case string:
			out[i] = e
		case bool:
			out[i] = strconv.FormatBool(e)
		default:
			return fmt.Errorf("%s is neither text nor a list of texts", text)
		}
	}
	*v = out
	return nil
}

// Principal says whose requests a resource-based policy speaks of.
type Principal struct {
	AWS     Values // account roots, role ARNs
	Service Values // "logs.eu-central-1.amazonaws.com"
	Anyone  bool   // "*"; the others must be empty
}

// MarshalJSON implements json.Marshaler.
func (p Principal) MarshalJSON() ([]byte, error) {
	if p.Anyone {
		return []byte(`"*"`), nil
	}
	return marshal(struct {
		AWS     Values `json:"AWS,omitempty"`
		Service Values `json:"Service,omitempty"`
	}{p.AWS, p.Service})
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Principal) UnmarshalJSON(text []byte) error {
	if string(text) == `"*"` {
		*p = Principal{Anyone: true}
		return nil
	}
	var kinds map[string]Values
	if err := json.Unmarshal(text, &kinds); err != nil {
		return err
	}
	*p = Principal{}
	for kind, values := range kinds {
		switch kind {
		case "AWS":
			p.AWS = values
		case "Service":
			p.Service = values
		default:
			return fmt.Errorf("principals of kind %q are not known", kind)
		}
	}
	return nil
}

// Anyone is the principal of a statement that is for everybody, also for who
// did not sign in. Beside Deny it needs a condition that closes it.
func Anyone() *Principal { return &Principal{Anyone: true} }

// Services is the principal of AWS services.
func Services(names ...string) *Principal { return &Principal{Service: names} }

// Principals is the principal of roles and accounts, by ARN.
func Principals(arns ...string) *Principal { return &Principal{AWS: arns} }

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
