package policies

import (
	"slices"
	"strings"

	"freehold.dev/freehold/policies/table"
)

// classified is the rule that makes the table of types total: what it does not
// place, no rule over its columns is asked about.
var classified = Rule{
	ID:          "FH108",
	Title:       "Every type and every property is one of which it is known how it can be shared",
	Why:         "a rule finds what somebody thought of; a type that nobody has looked at is where the next share is made",
	Fix:         "make it of types that are classified, or add the type: policies/table says how",
	Severity:    High,
	Criteria:    []string{"CC6.1", "CC8.1"},
	Types:       []string{"aws:*"},
	NoException: true,
	Check: on(func(j *judge, r Resource, _ Scope) {
		if groups(r) {
			return
		}
		switch row := table.Of(r.Type); row.State {
		case table.Unclassified:
			j.violate("", "nobody has said how %s can be shared", r.Type)
		case table.Forbidden: // its own rule refuses it
		default:
			visitColumns(r, row, func(at *table.Place, p *place) {
				switch _, unknown := p.v.(Unknown); {
				case at == nil:
					j.violate(p.path(), "nobody has said what it holds")
				case at.Column == "" && unknown:
					j.undecided(p.path())
				}
			})
		}
	}),
	Good: []Example{
		shows("a queue", "aws:sqs/queue:Queue", object{"name": "jobs", "policy": "{}"}),
		shows("a map, whose keys are somebody's choice", "aws:lambda/function:Function", object{"environment": object{"variables": object{"ANY_NAME": "value"}}}),
	},
	Bad: []Example{
		shows("a type of which nobody has said anything", "aws:quicksight/dashboard:Dashboard", object{"name": "sales"}),
		shows("a property that a later version of the provider has", "aws:sqs/queue:Queue", object{"name": "jobs", "sharedWith": list{"444455556666"}}),
		shows("one further down", "aws:ec2/securityGroup:SecurityGroup", object{"ingress": list{object{"sharedWith": "444455556666"}}}),
	},
}

// organizationSwitches is the rule over the table's column of what is for a whole
// organization.
var organizationSwitches = Rule{
	ID:          "FH419",
	Title:       "Nothing is for a whole organization",
	Why:         "all customers are accounts of one organization: a trail, an analyzer or a permission for all of it is shared by all of them",
	Fix:         "leave it out, or set it to the account",
	Severity:    Critical,
	Criteria:    []string{"CC6.1", "CC6.3"},
	Types:       typesWith(table.Organization),
	NoException: true,
	Check:       switchedOff(table.Organization, "it is for a whole organization"),
	Good: []Example{
		shows("a trail of the account", "aws:cloudtrail/trail:Trail", object{"isOrganizationTrail": false}),
		shows("an analyzer of the account", "aws:accessanalyzer/analyzer:Analyzer", object{"type": "ACCOUNT"}),
		shows("an aggregator over the account's Regions", "aws:cfg/configurationAggregator:ConfigurationAggregator", object{
			"accountAggregationSource": object{"accountIds": list{"210987654321"}, "allRegions": true},
		}),
	},
	Bad: []Example{
		shows("a trail of all accounts", "aws:cloudtrail/trail:Trail", object{"isOrganizationTrail": true}),
		shows("an analyzer of all accounts", "aws:accessanalyzer/analyzer:Analyzer", object{"type": "ORGANIZATION"}),
		shows("an aggregator over all accounts", "aws:cfg/configurationAggregator:ConfigurationAggregator", object{
			"organizationAggregationSource": object{"roleArn": "arn:aws:iam::210987654321:role/config", "allRegions": true},
		}),
		shows("a workspace of which nobody has said so", "aws:grafana/workspace:Workspace", object{"accountAccessType": "ORGANIZATION"}),
	},
}

// typesWith are the types that have a property of one of these columns, sorted.
func typesWith(columns ...table.Column) []string {
	var types []string
	for _, r := range table.All() {
		if r.Top != nil && slices.ContainsFunc(columns, r.Top.Holds) {
			types = append(types, r.Type)
		}
	}
	return types
}

// refusedBy are the types that the table forbids by a rule, sorted.
func refusedBy(rule string) []string {
	var types []string
	for _, r := range table.All() {
		if r.State == table.Forbidden && r.Rule == rule {
			types = append(types, r.Type)
		}
	}
	return types
}

// forbiddenBy is the check of the types that the table forbids by a rule.
func forbiddenBy(rule string) func(Resource, Scope) Verdict {
	return on(func(j *judge, r Resource, _ Scope) { j.forbidden(r, rule) })
}

// forbidden violates where the table forbids a type by a rule.
func (j *judge) forbidden(r Resource, rule string) {
	if row := table.Of(r.Type); row.State == table.Forbidden && row.Rule == rule {
		j.violate("", "%s is never part of a customer's stack: %s", r.Type, row.Reason)
	}
}

// switchedOff is the check that no switch of a column is on: that it says nothing, or
// false, or what the table says that it may.
func switchedOff(c table.Column, message string) func(Resource, Scope) Verdict {
	return on(func(j *judge, r Resource, _ Scope) { j.switchedOff(c, message, r) })
}

// switchedOff violates where a switch of a column is on.
func (j *judge) switchedOff(c table.Column, message string, r Resource) {
	row := table.Of(r.Type)
	visitColumns(r, row, func(at *table.Place, p *place) {
		v := value{p.path(), p.v}
		switch {
		case at == nil || !at.Holds(c) || !j.known(v):
		case !off(at, v):
			j.violate(v.path, "%s", message)
		}
	})
	for _, path := range row.Paths(c) {
		at, _ := row.At(path)
		if len(at.Closed) == 0 || slices.Contains(at.Closed, table.Absent) || strings.HasPrefix(at.Closed[0], "!") {
			continue
		}
		if v := r.values().get(strings.Split(path, ".")...); v.v == nil {
			j.violate(v.path, "%s unless it says %s", message, strings.Join(at.Closed, " or "))
		}
	}
}

// off reports whether a known value keeps out whom the switch at its place lets in.
func off(at *table.Place, v value) bool {
	text := v.text()
	if len(at.Closed) > 0 && strings.HasPrefix(at.Closed[0], "!") {
		compact := strings.Join(strings.Fields(text), "")
		return !slices.ContainsFunc(at.Closed, func(c string) bool { return strings.Contains(compact, c[1:]) })
	}
	return text == "" && v.v != nil || text == "false" && len(at.Closed) == 0 || slices.Contains(at.Closed, text)
}

// visitColumns visits what is given to a resource, with its place in the table; nil for
// what has none. A part that is not known is visited as a whole.
func visitColumns(r Resource, row table.Row, visit func(at *table.Place, p *place)) {
	var walk func(at *table.Place, p *place)
	walk = func(at *table.Place, p *place) {
		v := p.v
		if at.Column == "" {
			v = opened(v)
		}
		switch in := v.(type) {
		case nil:
		case map[string]any:
			for key, e := range in {
				next := &place{up: p, key: key, v: e}
				if below, ok := at.Below(key); ok {
					walk(below, next)
				} else if p.up != nil || !strings.HasPrefix(key, "__") { // the engine's own
					visit(nil, next)
				}
			}
		case []any:
			for i, e := range in {
				walk(at, &place{up: p, index: i, v: e})
			}
		default:
			visit(at, p)
		}
	}
	if row.Top != nil {
		walk(row.Top, &place{v: r.Properties})
	}
}
