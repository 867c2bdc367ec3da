package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"freehold.dev/freehold/internal/judge"
	"freehold.dev/freehold/internal/unknown"
	"freehold.dev/freehold/policies"
)

// resource is one resource of a state.
type resource struct {
	URN      string
	Type     string
	ID       string
	Custom   bool
	External bool   // read by the program, and not made
	Provider string // URN::ID
	Inputs   map[string]any
	// Outputs are those by which a resource is known; Said is all of them, as JSON.
	Outputs map[string]any
	Said    []byte
	// secrets counts the values that are encrypted.
	secrets int
	// unknown is true if a value was never known: the run that made it did not end.
	unknown bool
}

// name is the logical name, the last part of the URN.
func (r resource) name() string { return r.URN[strings.LastIndex(r.URN, "::")+len("::"):] }

// subject is the resource as rules look at it.
func (r resource) subject() judge.Subject {
	return judge.Subject{
		Resource: policies.Resource{
			URN: r.URN, Type: r.Type, Name: r.name(), ID: r.ID, Properties: r.Inputs, Component: !r.Custom,
		},
		Provider: r.Provider, Secret: r.secrets > 0, Unknown: r.unknown,
	}
}

// state is what a reader learns of a state beside its resources.
type state struct {
	// pending are the operations that a run began and did not see the end of.
	pending []string
}

// read visits the resources of a state one at a time, in the order of the
// state, which has each after what it depends on. It takes a checkpoint, as a
// backend of files stores it, and a deployment, as "pulumi stack export" writes
// it; whatever it does not know, it passes over. At most one resource is in
// memory.
func read(r io.Reader, visit func(resource) error) (state, error) {
	s := newScanner(r)
	var st state
	var member func(key string) error
	member = func(key string) error {
		switch key {
		case "checkpoint", "latest", "deployment":
			return s.object(member)
		case "resources":
			// A stack that was made and never run has none, and no list of them.
			return s.array(func() error {
				r, err := readResource(s)
				if err != nil {
					return err
				}
				return visit(r)
			})
		case "pending_operations":
			return s.array(func() error {
				var p struct {
					Resource struct {
						URN string `json:"urn"`
					} `json:"resource"`
					Type string `json:"type"`
				}
				err := s.decode(&p)
				st.pending = append(st.pending, p.Type+" "+p.Resource.URN)
				return err
			})
		default:
			return s.skip()
		}
	}
	if err := s.object(member); err != nil {
		return st, fmt.Errorf("read the state: %w", err)
	}
	return st, nil
}

func readResource(s *scanner) (resource, error) {
	var r resource
	err := s.object(func(key string) error {
		switch key {
		case "urn":
			return s.decode(&r.URN)
		case "type":
			return s.decode(&r.Type)
		case "id":
			return s.decode(&r.ID)
		case "custom":
			return s.decode(&r.Custom)
		case "external":
			return s.decode(&r.External)
		case "provider":
			return s.decode(&r.Provider)
		case "inputs":
			return s.decode(&r.Inputs)
		case "outputs":
			return readOutputs(s, &r)
		default:
			return s.skip()
		}
	})
	if err == nil && (r.URN == "" || r.Type == "") {
		err = errors.New("a resource has no URN or no type")
	}
	r.Inputs, _ = r.open(r.Inputs).(map[string]any)
	return r, err
}

// outputs are all of a resource's outputs. Few are ever asked for.
func (r resource) outputs() (map[string]any, error) {
	if len(r.Said) == 0 {
		return nil, nil
	}
	var all map[string]any
	if err := json.Unmarshal(r.Said, &all); err != nil {
		return nil, fmt.Errorf("outputs of %s: %w", r.URN, err)
	}
	return all, nil
}

// known are the outputs by which a thing is known.
var known = map[string]bool{
	"arn": true, "email": true, "keyId": true, "uniqueId": true, "zoneId": true, "endpoint": true, "identities": true, "url": true,
	"cidrBlock": true,
}

// readOutputs keeps the text of the outputs, which is searched for identities
// as it is, and reads only those by which the resource is known.
func readOutputs(s *scanner, r *resource) error {
	var err error
	if r.Said, err = s.text(); err != nil {
		return err
	}
	// A state has a million values that nobody looks at: the marks of what is
	// no plain value are looked for in the text.
	r.secrets += bytes.Count(r.Said, []byte(secretMark))
	in := s.inside(r.Said)
	return in.object(func(key string) error {
		if !known[key] {
			return in.skip()
		}
		var v any
		if err := in.decode(&v); err != nil {
			return err
		}
		if r.Outputs == nil {
			r.Outputs = map[string]any{}
		}
		r.Outputs[key] = v
		return nil
	})
}

// The marks that Pulumi puts into a state for what is no plain value.
// https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go
const (
	signature  = unknown.Signature
	secretMark = unknown.Secret
	outputMark = unknown.Output
)

// open replaces what is no plain value: a secret, which stays encrypted, and
// what was not known when the state was written, by policies.Unknown.
func (r *resource) open(v any) any {
	switch v := v.(type) {
	case map[string]any:
		switch v[signature] {
		case nil:
		case secretMark:
			r.secrets++
			return policies.Unknown{}
		case outputMark:
			if v["secret"] == true {
				r.secrets++
				return policies.Unknown{}
			}
			return r.open(v["value"])
		default: // an asset, an archive, a reference to another resource: by its parts
		}
		for k, e := range v {
			switch e.(type) {
			case map[string]any, []any, string:
				v[k] = r.open(e)
			}
		}
	case []any:
		for i, e := range v {
			v[i] = r.open(e)
		}
	case string:
		if unknown.Text(v) {
			r.unknown = true
			return policies.Unknown{}
		}
	}
	return v
}
