package iam

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// ARN is an Amazon Resource Name, taken apart. A pattern of ARNs has the same
// parts, with wildcards in them.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
type ARN struct {
	Partition string // "aws"
	Service   string // "iam"
	Region    string // empty for what has none
	Account   string // empty for what has none; "aws" for AWS's own
	Resource  string // "role/path/name"; colons in it are its own
}

// ParseARN takes an ARN apart. It checks the shape only: six parts, the first
// of which is "arn".
func ParseARN(s string) (ARN, error) {
	a, err := arn.Parse(s)
	if err != nil {
		return ARN{}, fmt.Errorf("%q is not an ARN (arn:partition:service:region:account:resource)", s)
	}
	return ARN{Partition: a.Partition, Service: a.Service, Region: a.Region, Account: a.AccountID, Resource: a.Resource}, nil
}

// AccountIn returns the account in an ARN. It is empty for an ARN without an
// account, and for a text that is not an ARN.
func AccountIn(s string) string {
	a, err := ParseARN(s)
	if err != nil {
		return ""
	}
	return a.Account
}

// String returns the ARN as text: the same that was parsed.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Role returns the name of an IAM role, without its path; empty for any other
// ARN.
func (a ARN) Role() string {
	path, ok := strings.CutPrefix(a.Resource, "role/")
	if a.Service != "iam" || !ok {
		return ""
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}

// AssumedRole returns the role's name and the session's name of the ARN of a
// role's session, "arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION". Both are
// empty for any other ARN. AWS leaves the role's path out.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func (a ARN) AssumedRole() (role, session string) {
	name, ok := strings.CutPrefix(a.Resource, "assumed-role/")
	if a.Service != "sts" || !ok {
		return "", ""
	}
	role, session, _ = strings.Cut(name, "/")
	return role, session
}

// IsAccount reports whether a text is an account's id: twelve digits.
func IsAccount(s string) bool {
	return len(s) == 12 && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}
