package awsprovider

import (
	"maps"
	"slices"
)

// all is every type, byToken the same by token. They are filled at start, and
// not declared with their values, because functions of the tables refer to them.
var (
	all     []*Type
	byToken = map[string]*Type{}
)

func init() {
	for _, table := range tables {
		all = append(all, table...)
	}
	for _, t := range all {
		byToken[t.Token] = t
	}
}

// TypeOf returns the table's entry of a token, nil if there is none.
func TypeOf(token string) *Type { return byToken[token] }

// Tokens returns every known token, sorted.
func Tokens() []string { return slices.Sorted(maps.Keys(byToken)) }
