package reading

import (
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/policies/rule"
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

// StandsForAccount reports whether a mention is of an account. An ARN always is.
func StandsForAccount(m Mention, in *rule.Input, r rule.Resource) bool {
	if m.ARN || strings.HasPrefix(r.Type, rule.TypeAWSProvider) {
		return true
	}
	if m.Text != m.Account && (rule.AccountNamed(m.Text) == m.Account || namesInHost(m.Text, m.Account)) {
		return true
	}
	column := rule.ColumnOf(r, in)
	switch {
	case column == table.Number, column == table.Output:
		return false
	case accountWords.MatchString(in.Path()), accountWords.MatchString(m.lead):
		return true
	case slices.Contains(accountColumns, column):
		return alone(m) && !numberWords.MatchString(m.lead)
	case m.lead == "" && numberWords.MatchString(in.Path()), numberWords.MatchString(m.lead):
		return false
	case column == table.Tags, strings.Contains(in.Path(), "metadata.labels"), strings.Contains(in.Path(), "metadata.annotations"):
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
