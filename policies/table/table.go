// Package table says of every type of the pinned AWS SDK how what it makes can be
// shared: which of its properties hold a policy, a principal, an account, something
// else's id, a switch to the public, and so on. It is total. A type is classified,
// forbidden with a reason, or unclassified, and whoever asks refuses what is not
// classified; a classified type has a column for each of its properties.
//
// aws.txt is generated from the SDK's source and three files that people write:
// services.txt says which modules are classified and where AWS describes them,
// columns.txt what a property's name means wherever it occurs, and rows.txt what is
// different about single types.
package table

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

//go:generate go run ./gen

// Column is what a property holds.
type Column string

// The columns.
const (
	Policy       Column = "policy"       // a resource policy: who may use the resource
	Identity     Column = "identity"     // a policy of an identity: what its holder may do
	Trust        Column = "trust"        // a role's trust policy: who may assume it
	Principal    Column = "principal"    // who is let in: an account, an ARN, a service, a canonical id, a group
	Account      Column = "account"      // the account in which something is
	Organization Column = "organization" // an organization, a unit of it, or a switch to all of it
	Reference    Column = "reference"    // something else's ARN, or its name or id where it can be of this account only
	ID           Column = "id"           // something else's id, which can be of another account and does not say so
	Image        Column = "image"        // an image of machines or containers
	Bucket       Column = "bucket"       // a bucket, or a place in one
	Service      Column = "service"      // the name of an endpoint service
	Public       Column = "public"       // whether the internet gets in; see Place.Closed
	Network      Column = "network"      // a range of addresses that gets in
	Address      Column = "address"      // where data is sent or fetched
	Key          Column = "key"          // a KMS key
	Secret       Column = "secret"       // what nobody else may read
	Tags         Column = "tags"         // tags
	Code         Column = "code"         // what is run or makes other resources
	Number       Column = "number"       // an amount: its digits are no account
	Output       Column = "output"       // what AWS says, though the SDK would take it
	Plain        Column = "plain"        // what shares nothing
)

// State says whether a type may be made.
type State string

// The states.
const (
	Classified   State = "classified"
	Forbidden    State = "forbidden"
	Unclassified State = "unclassified"
)

// Row is what the table says of one type.
type Row struct {
	Type  string
	State State
	// Rule and Reason say which rule refuses a forbidden type, and why.
	Rule, Reason string
	// Top is where a classified type's properties begin.
	Top *Place
}

// Place is a property of a type, or a part of it that has properties.
type Place struct {
	// Column is what the property holds; empty for a part.
	Column Column
	// Closed are the values of a switch that keep the internet, or an organization,
	// out; one that begins with "!" is a text that must not be in the value. Empty
	// where there is no more to a switch than on and off.
	Closed []string
	below  map[string]*Place
}

// Absent is the value of Closed that says that nothing need be said.
const Absent = "absent"

// Below returns the place that a key leads to. What a property holds has keys of
// somebody's choice, and all of it is of the property's column. ok is false where the
// type has no such property.
func (p *Place) Below(key string) (below *Place, ok bool) {
	if p.Column != "" {
		return p, true
	}
	below, ok = p.below[key]
	return below, ok
}

// At returns the place of a path, "ingress.cidrBlocks", without the indexes of lists.
func (r Row) At(path string) (at *Place, ok bool) {
	at, ok = r.Top, r.Top != nil
	for key := range strings.SplitSeq(path, ".") {
		if !ok {
			return nil, false
		}
		at, ok = at.Below(key)
	}
	return at, ok
}

// Paths returns the paths of a column, sorted. Of parts that are there again it
// returns the first.
func (r Row) Paths(c Column) []string {
	if r.Top == nil {
		return nil
	}
	type asked struct {
		of *Place
		c  Column
	}
	if paths, ok := found.Load(asked{r.Top, c}); ok {
		return slices.Clone(paths.([]string))
	}
	var paths []string
	seen := map[*Place]bool{}
	var walk func(prefix string, p *Place)
	walk = func(prefix string, p *Place) {
		if seen[p] {
			return
		}
		seen[p] = true
		for _, key := range slices.Sorted(maps.Keys(p.below)) {
			walk(prefix+"."+key, p.below[key])
		}
		if p.Column == c {
			paths = append(paths, strings.TrimPrefix(prefix, "."))
		}
	}
	walk("", r.Top)
	found.Store(asked{r.Top, c}, paths)
	return slices.Clone(paths)
}

// found are the paths that were asked for: every rule over a column asks again.
var found sync.Map

// Columns returns the columns that a row has places of, sorted.
func (r Row) Columns() []Column {
	if r.Top == nil {
		return nil
	}
	columns, seen := map[Column]bool{}, map[*Place]bool{}
	var walk func(p *Place)
	walk = func(p *Place) {
		if seen[p] {
			return
		}
		if seen[p] = true; p.Column != "" {
			columns[p.Column] = true
		}
		for _, below := range p.below {
			walk(below)
		}
	}
	walk(r.Top)
	return slices.Sorted(maps.Keys(columns))
}

// place makes the place of a path, and what leads to it.
func (p *Place) place(path string) *Place {
	for key := range strings.SplitSeq(path, ".") {
		if p.below == nil {
			p.below = map[string]*Place{}
		}
		if p.below[key] == nil {
			p.below[key] = &Place{}
		}
		p = p.below[key]
	}
	return p
}

//go:embed aws.txt
var aws string

// Of returns the row of a type. One that the SDK does not have is unclassified.
func Of(typ string) Row {
	if r, ok := read.Load(typ); ok {
		return r.(Row)
	}
	r := Row{Type: typ, State: Unclassified}
	if text, ok := sections()[typ]; ok {
		var err error
		if r, err = row(text); err != nil {
			panic(err) // the file is compiled in, and a test reads all of it
		}
		read.Store(typ, r) // others are not kept: anybody may ask for any
	}
	return r
}

// All returns every row, by type.
func All() []Row {
	var all []Row
	for _, typ := range slices.Sorted(maps.Keys(sections())) {
		all = append(all, Of(typ))
	}
	return all
}

// TypesWith returns the types that have a property of one of these columns, sorted.
// Every process asks when it starts, and most have no use for a row: none is read.
func TypesWith(columns ...Column) []string {
	return typesWhere(func(_, section string) bool {
		return slices.ContainsFunc(columns, func(c Column) bool { return strings.Contains(section, "\n\t"+string(c)+" ") })
	})
}

// RefusedBy returns the types that a rule forbids, sorted. It reads no row either.
func RefusedBy(rule string) []string {
	return typesWhere(func(typ, section string) bool {
		return strings.HasPrefix(section, typ+" "+string(Forbidden)+" "+rule+" ")
	})
}

func typesWhere(ok func(typ, section string) bool) []string {
	var types []string
	for typ, section := range sections() {
		if ok(typ, section) {
			types = append(types, typ)
		}
	}
	slices.Sort(types)
	return types
}

// read are the rows that were asked for, by type: a run asks for a few of them.
var read sync.Map

// sections are the table's parts, by type.
var sections = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	for text := range strings.SplitSeq(aws, "\naws:") {
		text = "aws:" + text
		if i := strings.IndexAny(text, " \n"); i > 0 {
			all[text[:i]] = text
		} else {
			all[text] = text
		}
	}
	delete(all, "aws:#") // what is before the first
	return all
})

// row reads a type's part of the table: a line for the type, and below it, after a
// tab, one for each column with its paths.
func row(text string) (Row, error) {
	head, rest, _ := strings.Cut(text, "\n")
	f := strings.SplitN(head, " ", 4)
	r := Row{Type: f[0], State: Classified}
	switch {
	case len(f) == 4 && f[1] == string(Forbidden):
		r.State, r.Rule, r.Reason = Forbidden, f[2], f[3]
	case len(f) == 2 && f[1] == string(Unclassified):
		r.State = Unclassified
	case len(f) == 1:
		r.Top = &Place{}
	default:
		return r, fmt.Errorf("%q is no row", head)
	}
	for line := range strings.Lines(rest) {
		column, below := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "\t")
		f := strings.Fields(column)
		if !below || r.Top == nil || len(f) < 2 {
			return r, fmt.Errorf("%s: %q is no column of a classified type", r.Type, line)
		}
		for _, path := range f[1:] {
			path, more, with := strings.Cut(path, "=")
			if f[0] == "again" {
				i := strings.LastIndexByte(path, '.')
				within := r.Top.place(path[:i])
				within.place(path[i+1:])
				within.below[path[i+1:]] = r.Top.place(more)
				continue
			}
			at := r.Top.place(path)
			if at.Column = Column(f[0]); with {
				at.Closed = strings.Split(more, "|")
			}
		}
	}
	return r, nil
}

// Holds reports whether a place is of a column, or has one of it below.
func (p *Place) Holds(c Column) bool {
	type asked struct {
		of *Place
		c  Column
	}
	if len(p.below) == 0 {
		return p.Column == c
	}
	if holds, ok := held.Load(asked{p, c}); ok {
		return holds.(bool)
	}
	holds := p.holds(c, map[*Place]bool{})
	held.Store(asked{p, c}, holds)
	return holds
}

// held are the answers of Holds: every rule over a column asks again for each resource.
var held sync.Map

func (p *Place) holds(c Column, seen map[*Place]bool) bool {
	if p.Column == c {
		return true
	}
	if seen[p] {
		return false
	}
	seen[p] = true
	for _, below := range p.below {
		if below.holds(c, seen) {
			return true
		}
	}
	return false
}
