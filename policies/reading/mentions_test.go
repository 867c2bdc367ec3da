package reading

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMentionsOfAText(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"an id":                                {"333333333333", []string{"333333333333"}},
		"an ARN":                               {"arn:aws:iam::333333333333:role/x", []string{"333333333333"}},
		"an ARN of AWS's":                      {"arn:aws:iam::aws:policy/ReadOnlyAccess", []string{"aws"}},
		"an ARN without an account":            {"arn:aws:s3:::data", []string{""}},
		"a bucket whose name ends in one":      {"arn:aws:s3:::data-333333333333/x", []string{"", "333333333333"}},
		"two ARNs with a sign between":         {"acme#arn:aws:iam::333333333333:role/x#arn:aws:eks::aws:cluster-access-policy/y", []string{"333333333333", "aws"}},
		"a variable with a colon":              {"arn:aws:iam::${aws:PrincipalAccount}:role/x", []string{"${aws:PrincipalAccount}"}},
		"a pattern in the account":             {"arn:aws:iam::33333333333?:role/x", []string{"33333333333?"}},
		"a registry":                           {"333333333333.dkr.ecr.eu-central-1.amazonaws.com/app:1", []string{"333333333333"}},
		"a queue's address":                    {"https://sqs.eu-central-1.amazonaws.com/333333333333/q", []string{"333333333333"}},
		"thirteen digits":                      {"3333333333333", nil},
		"digits in a digest":                   {"sha256:ab405162738495cd", nil},
		"the end of a UUID":                    {"123e4567-e89b-12d3-a456-426614174000", nil},
		"what only begins like an ARN":         {"arn:aws", nil},
		"JSON escapes":                         {`{"a":"\u0033\u00333333333333"}`, []string{"333333333333"}},
		"percent encoding":                     {"arn%3Aaws%3Aiam%3A%3A333333333333%3Arole%2Fx", []string{"333333333333"}},
		"base64":                               {"cm9sZSBvZiAzMzMzMzMzMzMzMzM=", []string{"333333333333"}},
		"base64 without its padding, in a URL": {"https://x/?d=cm9sZSBvZiAzMzMzMzMzMzMzMzM", []string{"333333333333"}},
	} {
		var got []string
		for _, m := range Mentions(c.text) {
			got = append(got, m.Account)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
