package table_test

import (
	_ "embed"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/table"
)

//go:embed testdata/sharing.txt
var sharing string

// columnsOf are the columns of which a row has one that shares in a way.
var columnsOf = map[iam.Way][]table.Column{
	iam.ByPolicy:   {table.Policy, table.Principal, table.Account, table.Reference},
	iam.ByAccounts: {table.Principal, table.Account, table.Organization, table.Code, table.Reference, table.ID},
	iam.ByNetwork:  {table.ID, table.Account, table.Service, table.Network, table.Reference, table.Address},
	iam.ByData:     {table.Policy, table.Bucket, table.Reference, table.Address, table.Account, table.ID, table.Image, table.Code},
	iam.ByTrust:    {table.Trust, table.Principal, table.Account, table.Organization, table.Reference},
	iam.ByKey:      {table.Key, table.Policy, table.Principal, table.Reference},
	iam.ByPublic:   {table.Public, table.Network, table.Principal},
	iam.ByInvite:   {table.Account, table.ID},
}

// The table says how a type can be shared, and the list by which calls. What one of them
// knows, the other does.
func TestTheTableAndTheListOfSharingActionsAgree(t *testing.T) {
	ways := map[string]iam.Way{}
	for _, share := range iam.Sharing() {
		ways[share.Action] = share.Way
	}
	all := table.All()
	rows, called := map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(sharing) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "- "):
			reason, actions, ok := strings.Cut(line[len("- "):], ": ")
			if !ok || reason == "" {
				t.Errorf("%q gives no reason", line)
			}
			for action := range strings.FieldsSeq(actions) {
				if called[action] {
					t.Errorf("%s is called by a type, and is said not to be", action)
				}
				if ways[action] == "" {
					t.Errorf("%s is not in the list", action)
				}
				called[action] = true
			}
		default:
			typ, rest, _ := strings.Cut(line, " ")
			row := table.Of(typ)
			if !slices.ContainsFunc(all, func(r table.Row) bool { return r.Type == typ }) {
				t.Errorf("%s is no type of the table", typ)
			}
			rows[typ] = true
			if strings.HasPrefix(rest, "- ") {
				continue
			}
			for action := range strings.FieldsSeq(rest) {
				called[action] = true
				way, listed := ways[action]
				switch {
				case !listed:
					t.Errorf("%s calls %s, which is not in the list", typ, action)
				case row.State == table.Classified && !slices.ContainsFunc(columnsOf[way], func(c table.Column) bool { return len(row.Paths(c)) > 0 }):
					t.Errorf("%s shares by %s with %s, and the table has no property of it for that", typ, way, action)
				}
			}
		}
	}
	modules := map[string]bool{}
	for typ := range rows {
		modules[module(typ)] = true
	}
	for _, row := range all {
		switch {
		case len(row.Paths(table.Policy)) > 0 && !rows[row.Type]:
			t.Errorf("%s has a policy, and nobody says by which action of internal/iam/sharing.txt; say it in testdata/sharing.txt", row.Type)
		// What is forbidden with all of its kind has no action of its own.
		case row.State == table.Forbidden && strings.HasPrefix(row.Rule, "FH4") && !modules[module(row.Type)]:
			t.Errorf("%s is forbidden because it shares, and nobody says by which action its kind does; say it in testdata/sharing.txt", row.Type)
		}
	}
	for _, share := range iam.Sharing() {
		if !called[share.Action] {
			t.Errorf("%s shares, and nobody says which type of the table calls it; say it in testdata/sharing.txt", share.Action)
		}
	}
}

// module is the part of a type's token that is its service: "aws:ec2" of
// "aws:ec2/vpc:Vpc".
func module(typ string) string {
	m, _, _ := strings.Cut(typ, "/")
	return m
}
