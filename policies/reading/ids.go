package reading

import (
	"regexp"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
)

// given are the ids that AWS gives to what can be joined with another account's: a
// kind, a hyphen and hex digits, a UUID, or a hosted zone's.
var given = regexp.MustCompile(`^(?:[a-z][a-z0-9-]*-[0-9a-f]{8,40}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:/hostedzone/)?Z[0-9A-Z]{7,31})$`)

// ofAWSItself are ids of AWS's own, which everybody may name.
var ofAWSItself = regexp.MustCompile(`^pl-[0-9a-f]{8}$`)

// IsGiven reports whether a text is such an id. A name that ends in an account is none.
func IsGiven(text string) bool {
	return given.MatchString(text) && !ofAWSItself.MatchString(text) && !iam.IsAccount(text[strings.LastIndexByte(text, '-')+1:])
}

// PhysicalIDs finds ids in a text: a kind, a hyphen, and eight or seventeen hex digits.
// A prefix list with eight is one of AWS's own, which everybody may name.
//
// https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
func PhysicalIDs(text string, found func(id string)) {
	for i := strings.IndexByte(text, '-'); i >= 0; {
		start, end := i, i+1
		for start > 0 && text[start-1] >= 'a' && text[start-1] <= 'z' {
			start--
		}
		for end < len(text) && (isDigit(text[end]) || text[end] >= 'a' && text[end] <= 'f') {
			end++
		}
		if n := end - i - 1; (n == 8 && text[start:i] != "pl" || n == 17) && Edge(text, start-1) && Edge(text, end) && slices.Contains(physical, text[start:i]) {
			found(text[start:end])
		}
		next := strings.IndexByte(text[i+1:], '-')
		if next < 0 {
			return
		}
		i += 1 + next
	}
}

// physical are the kinds of ids that EC2 gives, which say nothing about their account.
var physical = []string{
	"vpc", "subnet", "sg", "rtb", "igw", "nat", "eni", "vpce", "eipalloc", "acl", "lt", "vol", "snap", "fs", "fsap", "pcx", "tgw", "vgw", "cgw", "vpn", "pl",
}
