package audit

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/finding"
)

// confrontation gathers, in the second pass, who owns and who names what looked
// shared. It holds text, and so only of what looked shared.
type confrontation struct {
	hash     func(string) uint64
	suspects map[uint64]bool
	asked    func(org string) bool

	mu     sync.Mutex
	owners map[string][]owner   // by token
	named  []mention            // of suspects
	cidrs  map[string][]network // by org
}

type owner struct {
	identity
	end finding.End
}

type mention struct {
	from      finding.End
	tokens    []string
	statement string
}

type network struct {
	prefix netip.Prefix
	end    finding.End
}

// confront reads one org again, with the text of what it is and names.
func (a *auditor) confront(ctx context.Context, n int, c *confrontation) error {
	s := &a.seen[n]
	org, err := a.Load(ctx, a.Orgs[n])
	if err != nil {
		s.couldNot("", a.Orgs[n], err)
		return nil
	}
	for _, l := range org.Layers {
		_, err := readLayer(ctx, l, func(r resource) error {
			if !r.Custom {
				return ctx.Err()
			}
			end := finding.End{Org: org.Name, Layer: l.Name, Type: r.Type, Name: r.name(), ID: r.ID, URN: r.URN}
			outputs, err := r.outputs()
			if err != nil {
				return err
			}
			c.owns(end, identities(r))
			if r.Type == awstype.EC2VPC && !r.External {
				c.network(end, outputs)
			}
			if r.External {
				c.names(end, leaf{path: "id", key: "id", text: r.ID})
			}
			c.properties(end, r.Inputs)
			c.properties(end, outputs)
			return ctx.Err()
		})
		if err != nil && len(s.unread) == 0 {
			s.couldNot(l.Name, org.Name, err)
		}
	}
	if org.AccountID != "" {
		// For an account that the customer brought, no resource stands.
		end := finding.End{Org: org.Name, Layer: "account", Type: awstype.OrganizationsAccount, ID: org.AccountID}
		c.owns(end, []identity{{kindAccount, org.AccountID, org.AccountID}})
	}
	if org.Live == nil {
		return nil
	}
	things, err := org.Live(ctx)
	if err != nil && len(s.unread) == 0 {
		s.couldNot("", org.Name, err)
	}
	for _, t := range things {
		end := finding.End{Org: org.Name, Type: t.Type, Name: t.Name, ID: t.ID}
		c.owns(end, identitiesOf(t.Type, t.ID, map[string]any{"arn": t.ARN}))
		c.properties(end, t.Properties)
	}
	return nil
}

func (c *confrontation) owns(end finding.End, ids []identity) {
	for _, id := range ids {
		if !c.suspects[c.hash(id.token)] {
			continue
		}
		c.mu.Lock()
		if c.owners == nil {
			c.owners = map[string][]owner{}
		}
		// One end for each org: what is read live again, and the parts of a
		// thing that have its id, are the same thing.
		if !slices.ContainsFunc(c.owners[id.token], func(o owner) bool { return o.end.Org == end.Org }) {
			c.owners[id.token] = append(c.owners[id.token], owner{id, end})
		}
		c.mu.Unlock()
	}
}

func (c *confrontation) network(end finding.End, outputs map[string]any) {
	text, _ := outputs["cidrBlock"].(string)
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cidrs == nil {
		c.cidrs = map[string][]network{}
	}
	c.cidrs[end.Org] = append(c.cidrs[end.Org], network{p, end})
}

func (c *confrontation) properties(end finding.End, p map[string]any) {
	texts(p, true, func(l leaf) { c.names(end, l) })
}

func (c *confrontation) names(end finding.End, l leaf) {
	var found []string
	note := func(token string) {
		if c.suspects[c.hash(token)] && !slices.Contains(found, token) {
			found = append(found, token)
		}
	}
	if bucketName(l.key, l.text) {
		note(bucketToken(l.text))
	}
	tokens(l.text, note)
	if len(found) == 0 {
		return
	}
	end.Path = l.path
	// Each statement that names one is a way of its own.
	byStatement := map[string][]string{}
	for _, t := range found {
		s := statementWith(l.text, strings.TrimPrefix(t, bucketToken("")))
		byStatement[s] = append(byStatement[s], t)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for s, ts := range byStatement {
		c.named = append(c.named, mention{from: end, tokens: ts, statement: s})
	}
}

// verdict reports what is really shared, in an order that is always the same.
// strangers are edges that lead to no org.
func (c *confrontation) verdict(strangers []finding.Edge) ([]finding.SharedIdentity, []finding.Edge) {
	var shared []finding.SharedIdentity
	for _, owners := range c.owners {
		if len(owners) > 1 {
			s := finding.SharedIdentity{Kind: owners[0].kind, Value: owners[0].value}
			for _, o := range owners {
				s.Ends = append(s.Ends, o.end)
			}
			shared = append(shared, s)
		}
	}
	shared = append(shared, c.hubs()...)
	edges := c.edges(strangers)
	shared = append(shared, c.overlaps(edges)...)
	shared = slices.DeleteFunc(shared, func(s finding.SharedIdentity) bool {
		return !slices.ContainsFunc(s.Ends, func(e finding.End) bool { return c.asked(e.Org) })
	})
	for _, s := range shared {
		slices.SortFunc(s.Ends, compareEnds)
	}
	slices.SortFunc(shared, func(a, b finding.SharedIdentity) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Value, b.Value), compareEnds(a.Ends[0], b.Ends[0]))
	})
	// A thing's ARN and its id, or an issuer and its id, are one finding.
	shared = slices.CompactFunc(shared, func(a, b finding.SharedIdentity) bool { return a.Kind == b.Kind && a.Value == b.Value })
	return shared, edges
}

// edges are the ways from one org's resource to another's, each once, and those
// to strangers.
func (c *confrontation) edges(strangers []finding.Edge) []finding.Edge {
	edges := slices.Clone(strangers)
	for _, m := range c.named {
		nearest := map[string]finding.Edge{} // by the other org
		near := map[string]int{}
		for _, t := range m.tokens {
			owners := c.owners[t]
			if slices.ContainsFunc(owners, func(o owner) bool { return o.end.Org == m.from.Org }) {
				continue
			}
			for _, o := range owners {
				// The account's id is in the ARN of all that is in it.
				if n := len(t) * 2; o.kind != kindAccount && n > near[o.end.Org] || nearest[o.end.Org].Value == "" {
					near[o.end.Org] = n
					kind, rule := edgeKind(m.from.Type, m.from.Path, m.statement)
					nearest[o.end.Org] = finding.Edge{Kind: kind, Rule: rule, From: m.from, To: o.end, Value: o.value, Statement: m.statement}
				}
			}
		}
		for _, e := range nearest {
			if c.asked(e.From.Org) || c.asked(e.To.Org) {
				edges = append(edges, e)
			}
		}
	}
	slices.SortFunc(edges, func(a, b finding.Edge) int {
		return cmp.Or(compareEnds(a.From, b.From), compareEnds(a.To, b.To), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Statement, b.Statement),
			// What a state says comes before what is there now, with the layer's name.
			-cmp.Compare(a.From.URN, b.From.URN))
	})
	edges = slices.CompactFunc(edges, func(a, b finding.Edge) bool {
		return compareEnds(a.From, b.From) == 0 && compareEnds(a.To, b.To) == 0 && a.Value == b.Value && a.Statement == b.Statement
	})
	return slices.DeleteFunc(edges, func(e finding.Edge) bool { return outdone(e, edges) })
}

// outdone reports whether an edge only names the account of what another edge
// of the same resource names itself: a peering has the other's VPC and account.
func outdone(e finding.Edge, edges []finding.Edge) bool {
	return e.To.Org != "" && e.To.Type == awstype.OrganizationsAccount && e.Statement == "" && slices.ContainsFunc(edges, func(o finding.Edge) bool {
		same := e.From
		same.Path = o.From.Path
		return o.From == same && o.To.Org == e.To.Org && o.To.Type != awstype.OrganizationsAccount
	})
}

func compareEnds(a, b finding.End) int {
	return cmp.Or(cmp.Compare(a.Org, b.Org), cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Path, b.Path))
}

// joins reports whether a token is of what joins those that have it: two orgs
// that name one transit gateway meet in it, though neither owns it.
func joins(token string) bool {
	if strings.HasPrefix(token, "arn:") {
		return strings.Contains(token, ":kms:") && !strings.Contains(token, ":alias/aws/")
	}
	i := strings.LastIndexByte(token, '-')
	return i > 0 && slices.Contains([]string{
		"vpc", "subnet", "sg", "rtb", "tgw", "tgw-attach", "tgw-rtb", "pcx", "vgw", "vpn", "eni", "fs", "fsap", "sn", "snva", "dxcon", "dxvif",
	}, token[:i])
}

// hubs are things of no org that several orgs name.
func (c *confrontation) hubs() []finding.SharedIdentity {
	by := map[string][]finding.End{}
	for _, m := range c.named {
		for _, t := range m.tokens {
			if len(c.owners[t]) == 0 && joins(t) && !slices.ContainsFunc(by[t], func(e finding.End) bool { return e.Org == m.from.Org }) {
				by[t] = append(by[t], m.from)
			}
		}
	}
	var out []finding.SharedIdentity
	for t, ends := range by {
		if len(ends) > 1 {
			out = append(out, finding.SharedIdentity{Kind: kindID, Value: t, Ends: ends})
		}
	}
	return out
}

// overlaps are the ranges that two peered orgs have in common. Without a peering
// each customer may have the same range: nobody can tell.
func (c *confrontation) overlaps(edges []finding.Edge) []finding.SharedIdentity {
	var out []finding.SharedIdentity
	for _, e := range edges {
		if e.Kind != "peering" {
			continue
		}
		for _, a := range c.cidrs[e.From.Org] {
			for _, b := range c.cidrs[e.To.Org] {
				if a.prefix.Overlaps(b.prefix) {
					value := a.prefix.String()
					if a.prefix != b.prefix {
						value = fmt.Sprintf("%s and %s", a.prefix, b.prefix)
					}
					out = append(out, finding.SharedIdentity{Kind: kindCIDR, Value: value, Ends: []finding.End{a.end, b.end}})
				}
			}
		}
	}
	return out
}
