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
	Public       Column = "public"       // whether the internet gets in; see Row.Closed
	Network      Column = "network"      // a range of addresses that gets in
	Address      Column = "address"      // where data is sent or fetched
	Key          Column = "key"          // a KMS key
	Secret       Column = "secret"       // what nobody else may read
	Tags         Column = "tags"         // tags
	Code         Column = "code"         // what is run or makes other resources
	Number       Column = "number"       // an amount: its digits are no account
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
	// columns are by path, "ingress.cidrBlocks", without the indexes of lists.
	columns map[string]Column
	// again are the paths below which a part of the type begins again.
	again map[string]string
	// closed are the values that keep the internet out, by the path of a switch; one
	// that begins with "!" is what does not.
	closed map[string][]string
}

// Column returns what the property at a path holds. Below a map, which has keys of
// somebody's choice, it is what the map holds. ok is false for a path that the type
// does not have.
func (r Row) Column(path string) (c Column, ok bool) {
	for {
		if c, ok := r.columns[path]; ok {
			return c, true
		}
		from, to := "", ""
		for prefix, start := range r.again {
			if strings.HasPrefix(path, prefix+".") && len(prefix) > len(from) {
				from, to = prefix, start
			}
		}
		if from != "" {
			path = to + strings.TrimPrefix(path, from)
			continue
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return "", false
		}
		path = path[:i]
	}
}

// Paths returns the paths of a column, sorted.
func (r Row) Paths(c Column) []string {
	var paths []string
	for path, have := range r.columns {
		if have == c {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// Closed returns the values of a switch that keep the internet out. absent reports
// whether it is kept out where nothing is said.
func (r Row) Closed(path string) (values []string, absent bool) {
	for _, v := range r.closed[path] {
		if v == "absent" {
			absent = true
		} else {
			values = append(values, v)
		}
	}
	return values, absent
}

//go:embed aws.txt
var aws string

// Of returns the row of a type. One that the SDK does not have is unclassified.
func Of(typ string) Row {
	if r, ok := rows()[typ]; ok {
		return r
	}
	return Row{Type: typ, State: Unclassified}
}

// All returns every row, by type.
func All() []Row {
	all := make([]Row, 0, len(rows()))
	for _, r := range rows() {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b Row) int { return strings.Compare(a.Type, b.Type) })
	return all
}

var rows = sync.OnceValue(func() map[string]Row {
	all, err := read(aws)
	if err != nil {
		panic(err) // the file is compiled in, and a test reads it
	}
	return all
})

// read reads the generated table: a line for each type, and below it, after a tab, one
// for each column with its paths.
func read(text string) (map[string]Row, error) {
	all := map[string]Row{}
	var typ string
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		rest, below := strings.CutPrefix(line, "\t")
		if !below {
			f := strings.SplitN(line, " ", 4)
			r := Row{Type: f[0], State: Classified}
			switch {
			case len(f) == 4 && f[1] == string(Forbidden):
				r.State, r.Rule, r.Reason = Forbidden, f[2], f[3]
			case len(f) == 2 && f[1] == string(Unclassified):
				r.State = Unclassified
			case len(f) == 1:
				r.columns, r.again, r.closed = map[string]Column{}, map[string]string{}, map[string][]string{}
			default:
				return nil, fmt.Errorf("line %d: %q is no row", n, line)
			}
			typ = f[0]
			all[typ] = r
			continue
		}
		r, f := all[typ], strings.Fields(rest)
		if r.State != Classified || len(f) < 2 {
			return nil, fmt.Errorf("line %d: %q is no column of a classified type", n, line)
		}
		for _, path := range f[1:] {
			switch c := Column(f[0]); c {
			case "again":
				from, to, _ := strings.Cut(path, "=")
				r.again[from] = to
			case Public:
				path, values, _ := strings.Cut(path, "=")
				r.columns[path], r.closed[path] = Public, strings.Split(values, "|")
			default:
				r.columns[path] = c
			}
		}
	}
	return all, nil
}
