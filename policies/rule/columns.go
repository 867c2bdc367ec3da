package rule

import (
	"slices"
	"strings"

	"freehold.dev/freehold/policies/table"
)

// ForbiddenBy is the check of the types that the table forbids by a rule.
func ForbiddenBy(rule string) func(Resource, Scope) Verdict {
	return On(func(j *Judge, r Resource, _ Scope) { j.Forbidden(r, rule) })
}

// Forbidden violates where the table forbids a type by a rule.
func (j *Judge) Forbidden(r Resource, rule string) {
	if row := table.Of(r.Type); row.State == table.Forbidden && row.Rule == rule {
		j.Violate("", "%s is never part of a customer's stack: %s", r.Type, row.Reason)
	}
}

// SwitchedOff is the check that no switch of a column is on: that it says nothing, or
// false, or what the table says that it may.
func SwitchedOff(c table.Column, message string) func(Resource, Scope) Verdict {
	return On(func(j *Judge, r Resource, _ Scope) { j.SwitchedOff(c, message, r) })
}

// SwitchedOff violates where a switch of a column is on.
func (j *Judge) SwitchedOff(c table.Column, message string, r Resource) {
	row := table.Of(r.Type)
	VisitColumns(r, row, func(at *table.Place, p *Node) {
		v := Value{p.Path(), p.Raw}
		switch {
		case at == nil || !at.Holds(c) || !j.Known(v):
		case !off(at, v):
			j.Violate(v.Path, "%s", message)
		}
	})
	for _, path := range row.Paths(c) {
		at, _ := row.At(path)
		if len(at.Closed) == 0 || slices.Contains(at.Closed, table.Absent) || strings.HasPrefix(at.Closed[0], "!") {
			continue
		}
		if v := r.Values().Get(strings.Split(path, ".")...); v.Raw == nil {
			j.Violate(v.Path, "%s unless it says %s", message, strings.Join(at.Closed, " or "))
		}
	}
}

// off reports whether a known value keeps out whom the switch at its place lets in.
func off(at *table.Place, v Value) bool {
	text := v.Text()
	if len(at.Closed) > 0 && strings.HasPrefix(at.Closed[0], "!") {
		compact := strings.Join(strings.Fields(text), "")
		return !slices.ContainsFunc(at.Closed, func(c string) bool { return strings.Contains(compact, c[1:]) })
	}
	return text == "" && v.Raw != nil || text == "false" && len(at.Closed) == 0 || slices.Contains(at.Closed, text)
}

// VisitColumns visits what is given to a resource, with its place in the table; nil for
// what has none. A part that is not known is visited as a whole.
func VisitColumns(r Resource, row table.Row, visit func(at *table.Place, p *Node)) {
	var walk func(at *table.Place, p *Node)
	walk = func(at *table.Place, p *Node) {
		v := p.Raw
		if at.Column == "" {
			v = Opened(v)
		}
		switch in := v.(type) {
		case nil:
		case map[string]any:
			for key, e := range in {
				next := &Node{Up: p, Key: key, Raw: e}
				if below, ok := at.Below(key); ok {
					walk(below, next)
				} else if p.Up != nil || !strings.HasPrefix(key, "__") { // the engine's own
					visit(nil, next)
				}
			}
		case []any:
			for i, e := range in {
				walk(at, &Node{Up: p, Index: i, Raw: e})
			}
		default:
			visit(at, p)
		}
	}
	if row.Top != nil {
		walk(row.Top, &Node{Raw: r.Properties})
	}
}

// ColumnOf is what the table says that a property holds; empty for a type that is not
// in it.
func ColumnOf(r Resource, in *Input) table.Column {
	at := table.Of(r.Type).Top
	for _, s := range in.steps {
		if at == nil {
			return ""
		}
		if s.key != "" {
			at, _ = at.Below(s.key)
		}
	}
	if at == nil {
		return ""
	}
	return at.Column
}
