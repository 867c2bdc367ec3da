package iam

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Way is how an action shares.
type Way string

// The ways of sharing.
const (
	ByPolicy   Way = "policy"   // a policy of the resource says who gets in
	ByAccounts Way = "accounts" // accounts or principals are named
	ByNetwork  Way = "network"  // a network is joined to another one
	ByData     Way = "data"     // data is copied or sent to where another account can be
	ByTrust    Way = "trust"    // somebody of another account gets power over this one
	ByKey      Way = "key"      // a key, or what it protects, leaves the account
	ByPublic   Way = "public"   // the internet gets in
	ByInvite   Way = "invite"   // what another account offers is taken, or given away
)

// Needed says who of the account has a use for an action that stays inside of it, where
// no condition of the service's tells that use from sharing.
type Needed string

// Who needs an action.
const (
	ByNobody         Needed = ""
	ByAdministrators Needed = "own"   // who makes resources in the account: the access role, whose stacks are judged
	ByTheStack       Needed = "stack" // the provision role as well, in the cluster's stack
)

// Share is an action that shares.
type Share struct {
	Action string // "s3:PutBucketPolicy"; "*" stands for any end of its name
	Way    Way
	Needed Needed
	// When is the condition of the denial, and On its resource, where the service has a
	// condition that lets the account's own use pass.
	When Condition
	On   string
	Page string // where AWS lists the service's actions and conditions
}

//go:embed sharing.txt
var sharing string

// Sharing returns every action by which something of an account is shared with, or
// sent to, another account or the public. Boundary and service control policy are made
// from it, and nothing else lists such actions.
func Sharing() []Share { return slices.Clone(shares()) }

var shares = sync.OnceValue(func() []Share {
	list, err := readShares(sharing)
	if err != nil {
		panic(err) // the file is compiled in, and a test reads it
	}
	return list
})

// readShares reads sharing.txt; its head says how.
func readShares(text string) ([]Share, error) {
	var list []Share
	var service, page string
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "\t"):
			head, actions, ok := strings.Cut(line[1:], ": ")
			if !ok || service == "" {
				return nil, fmt.Errorf("line %d: %q names no actions of a service", i+1, line)
			}
			s, err := readHead(head)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			s.Page = "https://docs.aws.amazon.com/service-authorization/latest/reference/" + page + ".html"
			for action := range strings.FieldsSeq(actions) {
				s.Action = service + ":" + action
				list = append(list, s)
			}
		default:
			var ok bool
			if service, page, ok = strings.Cut(line, " "); !ok {
				return nil, fmt.Errorf("line %d: %q is not a service and its page", i+1, line)
			}
		}
	}
	return list, nil
}

// readHead reads what stands before a line's actions.
func readHead(head string) (s Share, err error) {
	f := strings.Fields(head)
	s.Way, f = Way(f[0]), f[1:]
	if !slices.Contains([]Way{ByPolicy, ByAccounts, ByNetwork, ByData, ByTrust, ByKey, ByPublic, ByInvite}, s.Way) {
		return s, fmt.Errorf("%q is no way of sharing", s.Way)
	}
	if len(f) > 0 && (f[0] == string(ByAdministrators) || f[0] == string(ByTheStack)) {
		s.Needed, f = Needed(f[0]), f[1:]
	}
	if len(f) >= 4 && f[0] == "when" {
		s.When, f = Condition{f[1]: {f[2]: {f[3]}}}, f[4:]
	}
	if len(f) == 2 && f[0] == "on" {
		s.On, f = f[1], f[2:]
	}
	if len(f) > 0 {
		return s, fmt.Errorf("%q is not understood", strings.Join(f, " "))
	}
	return s, nil
}

// Overlap reports whether an action fits both patterns.
func Overlap(a, b string) bool {
	switch {
	case a == "" && b == "":
		return true
	case a != "" && a[0] == '*':
		return Overlap(a[1:], b) || b != "" && Overlap(a, b[1:])
	case b != "" && b[0] == '*':
		return Overlap(b, a)
	case a == "" || b == "":
		return false
	case a[0] == '?' || b[0] == '?' || lower(a[0]) == lower(b[0]):
		return Overlap(a[1:], b[1:])
	default:
		return false
	}
}
