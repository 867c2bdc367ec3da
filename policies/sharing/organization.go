package sharing

import (
	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

// organizationSwitches is the rule over the table's column of what is for a whole
// organization.
var organizationSwitches = rule.Rule{
	ID:          "FH419",
	Title:       "Nothing is for a whole organization",
	Why:         "all customers are accounts of one organization: a trail, an analyzer or a permission for all of it is shared by all of them",
	Fix:         "leave it out, or set it to the account",
	Severity:    rule.Critical,
	Criteria:    []string{"CC6.1", "CC6.3"},
	Types:       table.TypesWith(table.Organization),
	NoException: true,
	Check:       rule.SwitchedOff(table.Organization, "it is for a whole organization"),
	Good: []rule.Example{
		example.Shows("a trail of the account", "aws:cloudtrail/trail:Trail", object{"isOrganizationTrail": false}),
		example.Shows("an analyzer of the account", "aws:accessanalyzer/analyzer:Analyzer", object{"type": "ACCOUNT"}),
		example.Shows("an aggregator over the account's Regions", "aws:cfg/configurationAggregator:ConfigurationAggregator", object{
			"accountAggregationSource": object{"accountIds": list{"210987654321"}, "allRegions": true},
		}),
	},
	Bad: []rule.Example{
		example.Shows("a trail of all accounts", "aws:cloudtrail/trail:Trail", object{"isOrganizationTrail": true}),
		example.Shows("an analyzer of all accounts", "aws:accessanalyzer/analyzer:Analyzer", object{"type": "ORGANIZATION"}),
		example.Shows("an aggregator over all accounts", "aws:cfg/configurationAggregator:ConfigurationAggregator", object{
			"organizationAggregationSource": object{"roleArn": "arn:aws:iam::210987654321:role/config", "allRegions": true},
		}),
		example.Shows("a workspace over all accounts", "aws:grafana/workspace:Workspace", object{"accountAccessType": "ORGANIZATION"}),
	},
}
