// Package audittest makes fleets of any size out of the states of one customer,
// without keeping them: each customer's are written as they are read.
package audittest

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"freehold.dev/freehold/internal/audit"
	"freehold.dev/freehold/policies"
)

// Template is the customer that all others are made after.
type Template struct {
	Org, AccountID string
	// Layers are the stored states, in their order, and Scopes what is known
	// of each.
	Layers []Layer
}

// Layer is one stack of the template.
type Layer struct {
	Scope policies.Scope
	State []byte
}

// Fleet is any number of customers.
type Fleet struct {
	layers []layer
	of     Template
}

type layer struct {
	scope    policies.Scope
	segments []segment
}

// segment is a part of a state: text, or a place for what is one customer's.
type segment struct {
	text  []byte
	place byte
}

const (
	placeOrg     = 'o'
	placeAccount = 'a'
	placeID      = 'x' // 8 hexadecimal digits
)

// New cuts the template's states at what is one customer's.
func New(t Template) *Fleet {
	f := &Fleet{of: t}
	for _, l := range t.Layers {
		f.layers = append(f.layers, layer{scope: l.Scope, segments: t.cut(l.State)})
	}
	return f
}

// physical are the ids that AWS makes up: the first 8 digits are each
// customer's, and the rest tells a customer's things apart.
var physical = regexp.MustCompile(strings.Join([]string{
	`\b[a-z]+-([0-9a-f]{8})[0-9a-f]{9}\b`,
	`\bp-([0-9a-f]{8})[0-9a-f]{2}\b`, // a policy of an organization
	`\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`,
	`\bAROA([0-9A-Z]{8})[0-9A-Z]+\b`,
	`/id/([0-9A-F]{8})[0-9A-F]{24}\b`,
	`127\.0\.0\.1:([0-9]+)`, // a cluster of the sandbox
}, "|"))

func (t Template) cut(state []byte) []segment {
	named := regexp.MustCompile(`\b` + regexp.QuoteMeta(t.Org) + `\b|` + t.AccountID + `|` + physical.String())
	var out []segment
	last := 0
	place := func(from, to int, what byte) {
		out = append(out, segment{text: state[last:from]}, segment{place: what})
		last = to
	}
	for _, m := range named.FindAllSubmatchIndex(state, -1) {
		switch text := string(state[m[0]:m[1]]); text {
		case t.Org:
			place(m[0], m[1], placeOrg)
		case t.AccountID:
			place(m[0], m[1], placeAccount)
		default:
			for i := 2; i < len(m); i += 2 {
				if m[i] >= 0 {
					place(m[i], m[i+1], placeID)
				}
			}
		}
	}
	return append(out, segment{text: state[last:]})
}

// Name is the n-th customer's.
func (f *Fleet) Name(n int) string { return fmt.Sprintf("customer-%06d", n) }

// AccountID is the n-th customer's. It is as long as each other.
func (f *Fleet) AccountID(n int) string { return fmt.Sprintf("3%011d", n) }

// Names are the first n customers'.
func (f *Fleet) Names(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = f.Name(i)
	}
	return names
}

// Load returns a customer by name, as an audit reads it.
func (f *Fleet) Load(_ context.Context, name string) (audit.Org, error) {
	var n int
	if _, err := fmt.Sscanf(name, "customer-%06d", &n); err != nil {
		return audit.Org{}, fmt.Errorf("%s is no customer of the fleet: %w", name, err)
	}
	o := audit.Org{Name: name, AccountID: f.AccountID(n)}
	for _, l := range f.layers {
		o.Layers = append(o.Layers, audit.Layer{
			Name: l.scope.Layer, Scope: f.scope(n, l.scope),
			Open: func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(&stream{segments: l.segments, values: f.values(n)}), nil
			},
		})
	}
	return o, nil
}

func (f *Fleet) values(n int) map[byte][]byte {
	return map[byte][]byte{placeOrg: []byte(f.Name(n)), placeAccount: []byte(f.AccountID(n)), placeID: fmt.Appendf(nil, "%08d", n+1)}
}

func (f *Fleet) scope(n int, s policies.Scope) policies.Scope {
	own := strings.NewReplacer(f.of.Org, f.Name(n), f.of.AccountID, f.AccountID(n))
	s.Org, s.AccountID = f.Name(n), f.AccountID(n)
	s.BoundaryARN, s.AccessRoleARN, s.Registry = own.Replace(s.BoundaryARN), own.Replace(s.AccessRoleARN), own.Replace(s.Registry)
	roles := make([]string, len(s.ClusterRoles))
	for i, r := range s.ClusterRoles {
		roles[i] = own.Replace(r)
	}
	s.ClusterRoles = roles
	return s
}

// stream reads a state piece by piece.
type stream struct {
	segments []segment
	values   map[byte][]byte
	rest     []byte
}

func (s *stream) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(s.rest) == 0 {
			if len(s.segments) == 0 {
				break
			}
			s.rest = s.segments[0].text
			if place := s.segments[0].place; place != 0 {
				s.rest = s.values[place]
			}
			s.segments = s.segments[1:]
			continue
		}
		c := copy(p[n:], s.rest)
		n, s.rest = n+c, s.rest[c:]
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}
