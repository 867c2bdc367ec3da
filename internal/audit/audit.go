// Package audit judges what was made: it reads the stored states of a fleet of
// customers, asks every rule about every resource, and then looks at all
// customers together for a physical identity that two of them have and for a
// way that leads from one's resource to another's.
//
// A state is read as a stream, one resource at a time, and of a fleet only a
// sorted list of 64-bit hashes is kept, most of it in a file: the memory of an
// audit does not grow with the fleet. What looks shared by its hash is read a
// second time, with its text, and nothing else is.
//
// Nothing here runs an engine or calls a cloud. What is there now, and not only
// what was recorded, is handed in by the caller as Things.
package audit

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/judge"
	"freehold.dev/freehold/policies"
)

// Org is one customer to look at.
type Org struct {
	Name string
	// AccountID is the org's own account; empty: not known.
	AccountID string
	// Unfinished is what of the org was never made, or is not as it was asked for.
	Unfinished []string
	Layers     []Layer
	// Live returns what is in the org's account now; nil: only states are read.
	// It may be called twice.
	Live func(context.Context) ([]Thing, error)
}

// Layer is one stack of an org.
type Layer struct {
	Name  string
	Scope policies.Scope
	// Open opens the stored state: a checkpoint, or an exported deployment. It
	// may be called twice.
	Open func(context.Context) (io.ReadCloser, error)
}

// Thing is one thing in an account, as it is now.
type Thing struct {
	Type, ID, Name, ARN string
	// ByCloud is true for what the cloud made by itself, and only it can change.
	ByCloud bool
	// Properties are what of it can lead elsewhere, by the names of its type.
	Properties map[string]any
}

// Options are what an audit looks at.
type Options struct {
	// About names what was asked for in the report: an org, or finding.EveryOrg.
	About string
	// Orgs are all customers, in the order of the report: what two have in
	// common is only found if both are read.
	Orgs []string
	// Asked reports whether an org was asked about: the rules are run for it, and
	// what it shares with any other is reported. nil: every org.
	Asked func(org string) bool
	Load  func(ctx context.Context, org string) (Org, error)
	Rules []policies.Rule
	Now   func() time.Time
	// Parallel is how many orgs are read at the same time; 0: one for each processor.
	Parallel int
	// Dir is for what does not fit into memory; empty: the system's.
	Dir string
}

// indexed is how many entries are kept in memory, of 16 bytes each.
const indexed = 1 << 20

// Run audits the fleet. What could not be read is in the report, and no error:
// the rest was. It fails when it was cancelled, or could not keep its notes.
func Run(ctx context.Context, o Options) (_ finding.Audit, err error) {
	began := o.Now()
	a := &auditor{
		Options: o, seed: maphash.MakeSeed(), index: newIndex(o.Dir, indexed),
		seen: make([]seen, len(o.Orgs)), rules: judge.NewIndex(o.Rules), entry: ofListings(o.Rules),
	}
	if a.Asked == nil {
		a.Asked = func(string) bool { return true }
	}
	if a.Parallel == 0 {
		a.Parallel = runtime.GOMAXPROCS(0)
	}
	defer func() { err = errors.Join(err, a.index.close()) }()
	if len(o.Orgs) > maxOrgs {
		return finding.Audit{}, fmt.Errorf("audit %d orgs: at most %d at once", len(o.Orgs), maxOrgs)
	}
	if err := a.each(ctx, nil, a.survey); err != nil {
		return finding.Audit{}, err
	}
	sus, err := a.index.suspects()
	if err != nil {
		return finding.Audit{}, err
	}
	c := &confrontation{hash: a.hash, suspects: sus.hashes, asked: a.Asked}
	if len(sus.orgs) > 0 {
		if err := a.each(ctx, sus.orgs, func(ctx context.Context, n int) error { return a.confront(ctx, n, c) }); err != nil {
			return finding.Audit{}, err
		}
	}
	out := finding.Audit{Org: o.About, At: began}
	for i, s := range a.seen {
		if a.Asked(o.Orgs[i]) {
			out.Orgs = append(out.Orgs, s.counts)
		}
		out.Findings = append(out.Findings, s.findings...)
		out.Unread = append(out.Unread, s.unread...)
		out.Live = out.Live || s.live
	}
	if out.Live {
		out.StatesOnly = statesOnly()
	}
	out.Shared, out.Edges = c.verdict(a.strangers(sus.hashes))
	out.Duration = o.Now().Sub(began)
	return out, nil
}

// statesOnly are the ways of sharing of which no account is asked.
func statesOnly() (out []finding.StatesOnly) {
	for _, w := range awstype.Ways() {
		if w.Unlisted != "" {
			out = append(out, finding.StatesOnly{Way: w.ID, Title: w.Title, Why: w.Unlisted})
		}
	}
	return out
}

// auditor is one audit.
type auditor struct {
	Options
	seed  maphash.Seed
	index *index
	rules *judge.Index
	entry *judge.Index // the rules of which ofListed is true
	seen  []seen
}

// seen is what is reported for one org.
type seen struct {
	counts   finding.AuditedOrg
	findings []finding.Policy
	unread   []finding.Unread
	live     bool
	// strangers are the ways out of the org's account.
	strangers []stranger
}

func (a *auditor) hash(token string) uint64 { return maphash.String(a.seed, token) }

// each works on the orgs, several at a time; only: on some of them.
func (a *auditor) each(ctx context.Context, only map[uint32]bool, work func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wait sync.WaitGroup
	for range a.Parallel {
		wait.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= len(a.Orgs) || ctx.Err() != nil {
					return
				}
				if only != nil && !only[uint32(n)] {
					continue
				}
				if err := work(ctx, n); err != nil {
					cancel(err)
				}
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

// survey judges one org and notes what it is and what it names.
func (a *auditor) survey(ctx context.Context, n int) error {
	name := a.Orgs[n]
	s := &a.seen[n]
	s.counts.Org = name
	asked := a.Asked(name)
	org, err := a.Load(ctx, name)
	if err != nil {
		s.couldNot("", name, err)
		return nil
	}
	s.counts.Unfinished = org.Unfinished
	note := notes{hash: a.hash, owned: map[uint64]bool{}, named: map[uint64]uint32{}}
	if org.AccountID != "" {
		note.owned[a.hash(org.AccountID)] = true
	}
	for _, l := range org.Layers {
		var on judge.Subjects
		st, err := readLayer(ctx, l, func(r resource) error {
			s.counts.Secrets += r.secrets
			if r.Custom {
				s.counts.Resources++
			}
			if asked {
				on.Add(r.subject())
			}
			note.resource(r)
			return ctx.Err()
		})
		if err != nil {
			s.couldNot(l.Name, name, err)
		}
		for _, p := range st.pending {
			s.couldNot(l.Name, name, fmt.Errorf("a run was interrupted: it is not known what became of %s", p))
		}
		s.counts.Layers++
		if !asked {
			continue
		}
		// Of a state that breaks off, what was read is judged all the same.
		s.findings = append(s.findings, on.Judge(a.rules, l.Scope, a.Now(), err == nil)...)
	}
	if org.Live != nil {
		s.live = true
		things, err := org.Live(ctx)
		s.couldNotAny(name, err)
		for _, t := range things {
			note.thing(t)
		}
		if asked && len(org.Layers) > 0 {
			s.findings = append(s.findings, a.openNow(org, things, s.findings)...)
		}
		if asked {
			s.leave(org, things)
		}
	}
	for _, f := range s.findings {
		s.counts.Findings++
		if f.Exception != nil {
			s.counts.Accepted++
		}
	}
	return a.index.add(note.entries(uint32(n)))
}

// ofListed reports whether a rule can be asked of what an account's listing shows:
// it is about who may enter the account (FH3xx), or the cluster's API by tokens of
// an issuer (FH803), or about what is of use only between two accounts (FH418), of
// which the type alone says so.
func ofListed(rule string) bool {
	return strings.HasPrefix(rule, "FH3") || rule == "FH803" || rule == "FH418"
}

// ofListings are those rules.
func ofListings(rules []policies.Rule) *judge.Index {
	return judge.NewIndex(slices.DeleteFunc(slices.Clone(rules), func(r policies.Rule) bool { return !ofListed(r.ID) }))
}

// openNow asks those rules about things as they are now. Of a thing the account's
// listing brings what can let others in and nothing else, so that no other
// rule can be asked. What a state says already is not said again.
func (a *auditor) openNow(org Org, things []Thing, said []finding.Policy) []finding.Policy {
	type key struct{ rule, typ, id string }
	known := map[key]bool{}
	for _, f := range said {
		known[key{f.Rule, f.Resource.Type, f.Resource.ID}] = true
	}
	var now []policies.Resource
	for _, t := range things {
		if !t.ByCloud && len(t.Properties) > 0 {
			now = append(now, policies.Resource{Type: t.Type, Name: t.Name, ID: t.ID, Properties: t.Properties})
		}
	}
	scope := org.Layers[len(org.Layers)-1].Scope
	scope.Layer = ""
	scope.Exceptions = judge.Current(scope.Exceptions, a.Now())
	return slices.DeleteFunc(a.entry.Part(now, scope), func(f finding.Policy) bool {
		return known[key{f.Rule, f.Resource.Type, f.Resource.ID}]
	})
}

func (s *seen) couldNot(layer, org string, err error) {
	s.unread = append(s.unread, finding.Unread{Org: org, Layer: layer, Message: err.Error()})
}

// couldNotAny notes each error of several: what could be read beside was.
func (s *seen) couldNotAny(org string, err error) {
	switch many, is := err.(interface{ Unwrap() []error }); {
	case err == nil:
	case is:
		for _, e := range many.Unwrap() {
			s.couldNot("", org, e)
		}
	default:
		s.couldNot("", org, err)
	}
}

// leave notes the ways by which the things of an org's account lead out of it.
func (s *seen) leave(org Org, things []Thing) {
	in := accountOf(org, things)
	if in.id == "" {
		if len(things) > 0 {
			s.couldNot("", org.Name, errors.New("the number of its account is not known, so nobody can tell who is outside of it"))
		}
		return
	}
	for _, t := range things {
		ways, err := in.strangers(t)
		if err != nil {
			s.couldNot("", org.Name, err)
		}
		for _, w := range ways {
			if !accepted(w.edge, s.findings) {
				s.strangers = append(s.strangers, w)
			}
		}
	}
}

// strangers are the edges to whom no org of the fleet is: suspects are the
// tokens that one org is and another names, and the edge to that org is found
// with its own end.
func (a *auditor) strangers(suspects map[uint64]bool) []finding.Edge {
	var out []finding.Edge
	for _, s := range a.seen {
		for _, w := range s.strangers {
			if !slices.ContainsFunc(w.tokens, func(token string) bool { return suspects[a.hash(token)] }) {
				out = append(out, w.edge)
			}
		}
	}
	return out
}

func readLayer(ctx context.Context, l Layer, visit func(resource) error) (state, error) {
	r, err := l.Open(ctx)
	if err != nil {
		return state{}, err
	}
	st, err := read(r, visit)
	return st, errors.Join(err, r.Close())
}

// notes are the tokens of one org.
type notes struct {
	hash  func(string) uint64
	owned map[uint64]bool
	named map[uint64]uint32 // the flags of each
}

func (n *notes) resource(r resource) {
	for _, id := range identities(r) {
		n.owned[n.hash(id.token)] = true
	}
	if !r.Custom {
		// A component and a stack only say again what others are.
		return
	}
	if r.External {
		n.names(r.ID)
	}
	n.properties(r.Inputs)
	n.names(string(r.Said))
}

func (n *notes) thing(t Thing) {
	for _, id := range identitiesOf(t.Type, t.ID, map[string]any{"arn": t.ARN}) {
		n.owned[n.hash(id.token)] = true
	}
	n.properties(t.Properties)
}

func (n *notes) properties(p map[string]any) {
	texts(p, false, func(l leaf) {
		if bucketName(l.key, l.text) {
			n.named[n.hash(bucketToken(l.text))] = mentioned
		}
		n.names(l.text)
	})
}

func (n *notes) names(text string) {
	tokens(text, func(token string) {
		flags := mentioned
		if joins(token) {
			flags |= exclusive
		}
		n.named[n.hash(token)] |= flags
	})
}

// entries are what is noted, without what the org names of its own.
func (n *notes) entries(org uint32) []entry {
	out := make([]entry, 0, len(n.owned))
	for h := range n.owned {
		out = append(out, entry{h, org})
	}
	for h, flags := range n.named {
		if !n.owned[h] {
			out = append(out, entry{h, org | flags})
		}
	}
	return out
}
