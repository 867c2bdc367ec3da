package policies

import (
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/policies/table"
)

// Twelve digits alone are an account, a telephone number, the time of a build or a
// number of bytes, and do not say which. The text around them does, or the property
// that holds them, or the name of that property.

// accountWords are names of what holds accounts, and numberWords of what holds other
// numbers. A name with words of both holds accounts.
var (
	accountWords = regexp.MustCompile(`(?i)account|owner|principal|registry[-_.]?id|payer|arn\b`)
	numberWords  = regexp.MustCompile(`(?i)bytes|quota|threshold|time|date|retention|\b(?:limits|requests|hard|capacity|size)\b|` +
		`phone|telefon|mobile|msisdn|\b(?:tel|fax|sms|call)\b|hotline|pager|support|contact|build|version|revision|release|commit|serial|sequence|` +
		`epoch|nonce|checksum|number|\bno\b|count|length|offset|numeric|invoice|order|ticket|barcode|\bean\b|\bgtin\b|\bsid\b|hash|digest|` +
		`(?:^|[._-])(?:size|max|min|tag|id|seq|rev|crc)(?:$|[._"\[-])`)
)

// accountColumns hold accounts, and what is written with one.
var accountColumns = []table.Column{
	table.Account, table.Principal, table.Organization, table.Policy, table.Identity, table.Trust,
	table.Reference, table.ID, table.Image, table.Bucket, table.Service, table.Key,
}

// standsForAccount reports whether a mention is of an account. An ARN always is.
func standsForAccount(m Mention, in *input, r Resource) bool {
	if m.ARN || strings.HasPrefix(r.Type, typeAWSProvider) {
		return true
	}
	if m.Text != m.Account && (accountNamed(m.Text) == m.Account || namesInHost(m.Text, m.Account)) {
		return true
	}
	column := columnOf(r, in)
	switch {
	case column == table.Number, column == table.Output:
		return false
	case accountWords.MatchString(in.path()), accountWords.MatchString(m.lead):
		return true
	case slices.Contains(accountColumns, column):
		return alone(m) && !numberWords.MatchString(m.lead)
	case m.lead == "" && numberWords.MatchString(in.path()), numberWords.MatchString(m.lead):
		return false
	case column == table.Tags, strings.Contains(in.path(), "metadata.labels"), strings.Contains(in.path(), "metadata.annotations"):
		return false
	default:
		return alone(m)
	}
}

// alone reports whether the digits are a word or a value, and not a part of one: the tag
// of an image, the end of a version and a number after a plus are parts.
func alone(m Mention) bool {
	word := strings.Trim(m.Text, `\(){}[]=:`)
	_, value, assigned := strings.Cut(word, "=")
	return word == m.Account || assigned && value == m.Account
}

// columnOf is what the table says that a property holds; empty for a type that is not
// in it.
func columnOf(r Resource, in *input) table.Column {
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
