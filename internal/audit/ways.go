package audit

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies"
)

// stranger is an edge out of an org to somebody of whom its account's listing
// does not know whether another org is it. tokens are how that org would be
// known: where one of them is another's, the edge to that org says more.
type stranger struct {
	edge   finding.Edge
	tokens []string
}

// account is what is known of an account when its ways out are looked for.
type account struct {
	org, id string
	scope   policies.Scope
	things  map[string]bool // what is in it: ids, ARNs, "bucket:name"
}

func accountOf(o Org, things []Thing) account {
	a := account{org: o.Name, id: o.AccountID, things: map[string]bool{}}
	if len(o.Layers) > 0 {
		a.scope = o.Layers[len(o.Layers)-1].Scope
	}
	for _, t := range things {
		a.things[t.ID], a.things[t.ARN] = true, true
		for _, id := range identitiesOf(t.Type, t.ID, map[string]any{"arn": t.ARN}) {
			a.things[id.token] = true
		}
	}
	return a
}

// LeadOut returns those of some things by which anything of an account leads out of
// it, all being everything in the account that was listed. What an exception of the
// scope accepts does not count. A document that cannot be read is an error, beside
// what could be.
func LeadOut(o Options, accountID string, scope policies.Scope, all, some []Thing) ([]Thing, error) {
	org := Org{Name: scope.Org, AccountID: accountID, Layers: []Layer{{Scope: scope}}}
	answered := (&auditor{Options: o, entry: ofListings(o.Rules)}).openNow(org, some, nil)
	in := accountOf(org, all)
	var out []Thing
	var failed []error
	for _, t := range some {
		ways, err := in.strangers(t)
		if err != nil {
			failed = append(failed, err)
		}
		if slices.ContainsFunc(ways, func(w stranger) bool { return !accepted(w.edge, answered) }) {
			out = append(out, t)
		}
	}
	return out, errors.Join(failed...)
}

// strangers are the ways by which a thing of the account leads out of it, as the
// table of ways (awstype.Ways) says where to look. Documents that cannot be read
// are an error: they may let anybody in.
func (a account) strangers(t Thing) (out []stranger, err error) {
	w, shares := awstype.WayOf(t.Type)
	if !shares || t.ByCloud {
		return nil, nil
	}
	from := finding.End{Org: a.org, Type: t.Type, Name: t.Name, ID: t.ID}
	for _, end := range w.Ends {
		for _, l := range at(t.Properties, end.Path) {
			whom, failed := a.beyond(end, l.text, t)
			if failed != nil {
				err = fmt.Errorf("%s of %s %s: %w", l.path, t.Type, t.ID, failed)
			}
			from.Path = l.path
			for _, who := range whom {
				to, tokens := farEnd(who)
				out = append(out, stranger{tokens: tokens, edge: finding.Edge{
					Kind: end.Kind, Rule: cmp.Or(end.Rule, ruleOf(t.Type)), From: from, To: to, Value: who.ID, Statement: who.Statement,
				}})
			}
		}
	}
	return out, err
}

// beyond reads one end, and returns who there is not of the account.
func (a account) beyond(end awstype.End, text string, t Thing) ([]policies.Stranger, error) {
	named := []policies.Stranger{{ID: text}}
	other := func(name string) bool { return name != "" && name != "aws" && name != a.id }
	switch end.Is {
	case awstype.IsPolicy:
		return policies.LetIn(text, a.id)
	case awstype.IsTrust:
		return policies.Trusted(text, a.id, a.scope.ProvisionerARN)
	case awstype.IsPermissions:
		return policies.MayReach(text, a.id)
	case awstype.IsPrincipal:
		return a.principal(end, text, t), nil
	case awstype.IsAccount:
		if !other(policies.AccountNamed(text)) {
			return nil, nil
		}
	case awstype.IsBucket:
		name, is := bucketIn(text)
		if !is || a.things[bucketToken(name)] {
			return nil, nil
		}
	case awstype.IsThing:
		if text == "" || a.things[text] {
			return nil, nil
		}
	case awstype.IsService:
		if text == "" || policies.ServiceOfAWS(text) {
			return nil, nil
		}
	case awstype.IsIssuer:
		if text == a.scope.IdentityProvider.IssuerURL {
			return nil, nil
		}
	case awstype.IsOutside:
		if text == "" {
			return nil, nil
		}
	case awstype.IsSwitch:
		if slices.Contains(end.Closed, text) {
			return nil, nil
		}
		named[0].ID = end.Path + " " + text // "ORGANIZATION" alone is nobody
	}
	return named, nil
}

// principal reads one that stands by itself. A service comes for whichever
// account it acts, unless something beside it names the account.
func (a account) principal(end awstype.End, text string, t Thing) []policies.Stranger {
	var out []policies.Stranger
	for who := range strings.SplitSeq(text, ",") {
		who = strings.TrimSpace(who)
		switch {
		case who == "", who == "AWS_IAM", strings.HasPrefix(who, "IAM_"), !policies.Outside(who, a.id):
		case strings.HasSuffix(who, ".amazonaws.com"):
			own := slices.ContainsFunc(end.Unless, func(path string) bool {
				return slices.ContainsFunc(at(t.Properties, path), func(l leaf) bool { return policies.AccountNamed(l.text) == a.id })
			})
			if !own {
				out = append(out, policies.Stranger{ID: policies.Anybody, By: who})
			}
		case who == "*", strings.EqualFold(who, "all"), who == "NONE":
			out = append(out, policies.Stranger{ID: policies.Anybody})
		default:
			out = append(out, policies.Stranger{ID: who})
		}
	}
	return out
}

// farEnd is the other end of an edge, and the tokens by which an org would be
// known to be it.
func farEnd(who policies.Stranger) (finding.End, []string) {
	account := policies.AccountNamed(who.ID)
	var known []string
	tokens(who.ID, func(token string) { known = append(known, token) })
	switch {
	case who.ID == policies.Anybody:
		name := "anybody"
		if who.By != "" {
			name += ", through " + who.By
		}
		return finding.End{Type: finding.Anybody, Name: name}, nil
	case account != "":
		return finding.End{Type: awstype.OrganizationsAccount, ID: account}, known
	default:
		if name, is := bucketIn(who.ID); is {
			known = append(known, bucketToken(name))
		}
		return finding.End{Type: finding.Outside, Name: who.ID}, known
	}
}

// bucketIn is the bucket that a text may mean; is is false for what is not S3's.
func bucketIn(text string) (name string, is bool) {
	if arn, err := iam.ParseARN(text); err == nil {
		name, _, _ = strings.Cut(arn.Resource, "/")
		return name, arn.Service == "s3" && arn.Account == ""
	}
	return text, bucketName("bucket", text)
}

// at returns the texts at a path of properties, "rules.destination.bucket", in
// every element of every list on the way.
func at(properties map[string]any, path string) []leaf {
	here := []place{{"", properties}}
	for key := range strings.SplitSeq(path, ".") {
		var next []place
		for _, h := range here {
			for _, e := range h.each() {
				in, _ := e.value.(map[string]any)
				if v, is := in[key]; is {
					next = append(next, place{strings.TrimPrefix(join(e.path, key), "."), v})
				}
			}
		}
		here = next
	}
	var out []leaf
	for _, h := range here {
		for _, e := range h.each() {
			switch v := e.value.(type) {
			case string:
				out = append(out, leaf{path: e.path, text: v})
			case bool:
				out = append(out, leaf{path: e.path, text: strconv.FormatBool(v)})
			}
		}
	}
	return out
}

type place struct {
	path  string
	value any
}

// each is the elements of a list, or the one value that is no list.
func (p place) each() []place {
	var out []place
	switch v := p.value.(type) {
	case []any:
		for i, e := range v {
			out = append(out, place{p.path + "[" + strconv.Itoa(i) + "]", e})
		}
	case []string:
		for i, e := range v {
			out = append(out, place{p.path + "[" + strconv.Itoa(i) + "]", e})
		}
	default:
		out = append(out, p)
	}
	return out
}

// ruleOf is the rule that a thing of a type breaks by its way: the first of the
// way's that is about the type.
func ruleOf(typ string) string { return rulesOfWays()[typ] }

var rulesOfWays = sync.OnceValue(func() map[string]string {
	rules := policies.All()
	out := map[string]string{}
	for _, w := range awstype.Ways() {
		for _, typ := range w.Types {
			out[typ] = w.Rules[0]
			for _, id := range w.Rules {
				if slices.ContainsFunc(rules, func(r policies.Rule) bool { return r.ID == id && r.Covers(typ) }) {
					out[typ] = id
					break
				}
			}
		}
	}
	return out
})

// accepted reports whether somebody answers for a way: a finding of one of its
// rules about the same thing is excepted.
func accepted(e finding.Edge, findings []finding.Policy) bool {
	w, _ := awstype.WayOf(e.From.Type)
	return slices.ContainsFunc(findings, func(f finding.Policy) bool {
		return f.Exception != nil && slices.Contains(w.Rules, f.Rule) && f.Resource.Type == e.From.Type && f.Resource.ID == e.From.ID
	})
}
