package policies

import (
	"maps"
	"slices"
	"strings"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

// object is how examples write what JSON calls so.
type object = example.Object

// TableExample is an example that is made from the table: one property of one type,
// with a value that a rule must refuse or let pass.
type TableExample struct {
	Column table.Column
	Path   string
	Bad    bool
	// Rules are those that judge the column. One of them refuses a bad example, and
	// none a good one.
	Rules []string
	Example
}

// judgedBy are the rules that judge each column, with a value that one of them must
// refuse and one that all of them must let pass. Plain values, amounts and what only AWS
// says have none; FH201 reads them, too, as it reads every text.
var judgedBy = map[table.Column]struct {
	rules     []string
	bad, good any
}{
	table.Policy: {
		[]string{"FH305"},
		example.Statements(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`),
		example.Statements(`{"Effect":"Allow","Principal":{"AWS":"` + example.ARN + `:role/app"},"Action":"*","Resource":"*"}`),
	},
	table.Identity: {
		[]string{"FH201"},
		example.Statements(`{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:eu-central-1:` + example.OtherAccount + `:jobs"}`),
		example.Statements(`{"Effect":"Allow","Action":"sqs:*","Resource":"arn:aws:sqs:eu-central-1:` + example.Account + `:jobs"}`),
	},
	table.Trust: {
		[]string{"FH301", "FH201"},
		example.Statements(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + example.OtherARN + `:root"}}`),
		example.Statements(`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"` + example.ARN + `:role/app"}}`),
	},
	table.Principal:    {[]string{"FH305", "FH415", "FH417"}, example.OtherAccount, example.Account},
	table.Account:      {[]string{"FH417"}, example.OtherAccount, example.Account},
	table.Organization: {[]string{"FH419"}, "ORGANIZATION", ""},
	table.Reference:    {[]string{"FH201"}, "arn:aws:sns:eu-central-1:" + example.OtherAccount + ":alarms", "arn:aws:sns:eu-central-1:" + example.Account + ":alarms"},
	table.ID:           {[]string{"FH203"}, "subnet-0f9e8d7c6b5a43210", "by-its-name"},
	table.Image:        {[]string{"FH201"}, example.OtherAccount + ".dkr.ecr.eu-central-1.amazonaws.com/app:1", example.Account + ".dkr.ecr.eu-central-1.amazonaws.com/app:1"},
	table.Bucket:       {[]string{"FH202", "FH414"}, "globex-in", "freehold-acme-data-" + example.Account},
	table.Service:      {[]string{"FH406"}, "com.amazonaws.vpce.eu-central-1.vpce-svc-0f9e8d7c6b5a43210", "com.amazonaws.eu-central-1.sts"},
	table.Public:       {[]string{"FH605"}, "OPEN", ""},
	table.Network:      {[]string{"FH603", "FH604", "FH612"}, "0.0.0.0/0", "203.0.113.0/24"},
	table.Address:      {[]string{"FH201"}, "https://sqs.eu-central-1.amazonaws.com/" + example.OtherAccount + "/jobs", "https://sqs.eu-central-1.amazonaws.com/" + example.Account + "/jobs"},
	table.Key:          {[]string{"FH701"}, example.OtherKeyARN, example.KeyARN},
	table.Secret:       {[]string{"FH201"}, "arn:aws:iam::" + example.OtherAccount + ":role/app", "not-in-a-dictionary"},
	table.Tags:         {[]string{"FH101"}, object{rule.OrgTag: "globex"}, object{rule.OrgTag: example.Org}},
	table.Code:         {[]string{"FH201"}, "#!/bin/sh\naws s3 sync . s3://data --profile arn:aws:iam::" + example.OtherAccount + ":role/app", "#!/bin/sh\nexec app"},
}

// TableExamples makes from each row a bad and a good example for each property by which
// something can be shared. It has nothing but that property, so a rule may refuse a good
// one at another, which is missing.
func TableExamples() []TableExample {
	var all []TableExample
	for _, row := range table.All() {
		for _, column := range slices.Sorted(maps.Keys(judgedBy)) {
			for _, path := range row.Paths(column) {
				at, _ := row.At(path)
				how := judgedBy[column]
				bad, good := how.bad, how.good
				if len(at.Closed) > 0 {
					bad, good = opens(at)
				}
				all = append(all, tableExample(row.Type, column, path, true, bad), tableExample(row.Type, column, path, false, good))
			}
		}
	}
	return all
}

// opens returns a value by which a switch is on, and one by which it is off.
func opens(at *table.Place) (on, off any) {
	if unless, ok := strings.CutPrefix(at.Closed[0], "!"); ok {
		return `[{"Rules":[],` + unless + `}]`, `[{"Rules":[]}]`
	}
	if slices.Contains(at.Closed, "false") {
		return true, false
	}
	return "OPEN", at.Closed[0]
}

func tableExample(typ string, column table.Column, path string, bad bool, v any) TableExample {
	name := "a good " + path
	if bad {
		name = "a bad " + path
	}
	in := object{}
	at, keys := in, strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		next := object{}
		at[key] = next
		at = next
	}
	last := keys[len(keys)-1]
	switch tags, isTags := v.(object); {
	case isTags && (last == "key" || last == "value"):
		at["key"], at["value"] = rule.OrgTag, tags[rule.OrgTag]
	default:
		at[last] = v
	}
	return TableExample{Column: column, Path: path, Bad: bad, Rules: judgedBy[column].rules, Example: example.Shows(name, typ, in)}
}

// JudgedBy returns the rules that judge what a column of the table holds; none for what
// shares nothing.
func JudgedBy(c table.Column) []string { return slices.Clone(judgedBy[c].rules) }
