package ownership

import (
	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

// classified is the rule that makes the table of types total: what it does not
// place, no rule over its columns is asked about.
var classified = rule.Rule{
	ID:          "FH108",
	Title:       "Every type and every property is one of which it is known how it can be shared",
	Why:         "a rule finds what somebody thought of; a type that nobody has looked at is where the next share is made",
	Fix:         "make it of types that are classified, or add the type: policies/table says how",
	Severity:    rule.High,
	Criteria:    []string{"CC6.1", "CC8.1"},
	Types:       []string{"aws:*"},
	NoException: true,
	Check: rule.On(func(j *rule.Judge, r rule.Resource, _ rule.Scope) {
		if groups(r) {
			return
		}
		switch row := table.Of(r.Type); row.State {
		case table.Unclassified:
			j.Violate("", "%s is not classified, so it is not known how it can be shared", r.Type)
		case table.Forbidden: // its own rule refuses it
		default:
			rule.VisitColumns(r, row, func(at *table.Place, p *rule.Node) {
				switch _, unknown := p.Raw.(rule.Unknown); {
				case at == nil:
					j.Violate(p.Path(), "the property is not classified, so it is not known what it holds")
				case at.Column == "" && unknown:
					j.Undecided(p.Path())
				}
			})
		}
	}),
	Good: []rule.Example{
		example.Shows("a queue", "aws:sqs/queue:Queue", object{"name": "jobs", "policy": "{}"}),
		example.Shows("a map, whose keys are somebody's choice", "aws:lambda/function:Function", object{"environment": object{"variables": object{"ANY_NAME": "value"}}}),
	},
	Bad: []rule.Example{
		example.Shows("a type that is not classified", "aws:quicksight/dashboard:Dashboard", object{"name": "sales"}),
		example.Shows("a property that a later version of the provider has", "aws:sqs/queue:Queue", object{"name": "jobs", "sharedWith": list{"444455556666"}}),
		example.Shows("one further down", "aws:ec2/securityGroup:SecurityGroup", object{"ingress": list{object{"sharedWith": "444455556666"}}}),
	},
}
