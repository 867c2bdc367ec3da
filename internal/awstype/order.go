package awstype

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Lists returns the names of all lists of an inventory, in the order in which
// what is in them can be removed: what uses another comes before it.
func Lists() []string { return slices.Clone(lists()) }

var lists = sync.OnceValue(func() []string {
	order, err := sorted(rows())
	if err != nil {
		panic(err) // the rows are data; a test reads them all
	}
	return order
})

// sorted orders the lists of rows: each before those whose types its own use,
// and otherwise as the rows come.
func sorted(all []Row) ([]string, error) {
	of := map[string]string{}
	var names []string
	for _, r := range all {
		of[r.Token] = r.List
		if r.List != "" && !slices.Contains(names, r.List) {
			names = append(names, r.List)
		}
	}
	// users are the lists that must come before a list.
	users := map[string][]string{}
	for _, r := range all {
		for _, token := range r.Uses {
			used, known := of[token]
			if !known {
				return nil, fmt.Errorf("%s uses %s, which has no row", r.Token, token)
			}
			if r.List != "" && used != r.List {
				users[used] = append(users[used], r.List)
			}
		}
	}
	var order []string
	for len(order) < len(names) {
		next := slices.IndexFunc(names, func(name string) bool {
			return !slices.Contains(order, name) &&
				!slices.ContainsFunc(users[name], func(user string) bool { return !slices.Contains(order, user) })
		})
		if next < 0 {
			return nil, fmt.Errorf("the lists use each other in a circle, after %s", strings.Join(order, ", "))
		}
		order = append(order, names[next])
	}
	return order, nil
}
