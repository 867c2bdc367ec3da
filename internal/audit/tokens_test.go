package audit

import (
	"slices"
	"testing"
)

func TestAnIdentityIsFoundInWhateverTextNamesIt(t *testing.T) {
	const account = "210987654321"
	for reason, tc := range map[string]struct{ text, want string }{
		"an account alone":                     {account, account},
		"an account in an ARN":                 {"arn:aws:iam::" + account + ":role/x", account},
		"an ARN":                               {"arn:aws:iam::" + account + ":role/x", "arn:aws:iam::" + account + ":role/x"},
		"an ARN with a wildcard at its end":    {"arn:aws:sqs:eu-west-1:" + account + ":q:*", "arn:aws:sqs:eu-west-1:" + account + ":q"},
		"an account in a registry's host":      {account + ".dkr.ecr.eu-west-1.amazonaws.com/app@sha256:00", account},
		"an account in a bucket's name":        {"freehold-acme-data-" + account, account},
		"an account in a document":             {`{"Principal":{"AWS":"` + account + `"}}`, account},
		"an account in a document in a text":   {`{\"AWS\":\"` + account + `\"}`, account},
		"an id after an escaped new line":      {`x\nvpc-0123456789abcdef0`, "vpc-0123456789abcdef0"},
		"an id after an escape in an escape":   {`x\\nvpc-0123456789abcdef0`, "vpc-0123456789abcdef0"},
		"an id after an escaped sign":          {`\u003csg-0123456789abcdef0\u003e`, "sg-0123456789abcdef0"},
		"an id in a list by commas":            {"subnet-01234567,subnet-89abcdef", "subnet-89abcdef"},
		"a key by its UUID":                    {"arn:aws:kms:eu-west-1:" + account + ":key/1234abcd-12ab-34cd-56ef-1234567890ab", "1234abcd-12ab-34cd-56ef-1234567890ab"},
		"a key of several regions":             {"key/mrk-1234abcd12ab34cd56ef1234567890ab", "mrk-1234abcd12ab34cd56ef1234567890ab"},
		"a role by its unique id":              {"AROA5OLW7O7VHAC72QT5C:session", "AROA5OLW7O7VHAC72QT5C"},
		"a session by its role":                {"arn:aws:sts::" + account + ":assumed-role/read/me", "arn:aws:sts::" + account + ":assumed-role/read"},
		"a bucket by its ARN":                  {"arn:aws:s3:::data-7/*", "bucket:data-7"},
		"a bucket by its URL":                  {"s3://data-7/key", "bucket:data-7"},
		"a bucket by its host":                 {"https://data-7.s3.eu-west-1.amazonaws.com/key", "bucket:data-7"},
		"an issuer in the ARN of its provider": {"arn:aws:iam::1:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/DCDD1D288830E4FE18141C47EC477B29", "DCDD1D288830E4FE18141C47EC477B29"},
		"an endpoint":                          {"https://127.0.0.1:28821", "127.0.0.1:28821"},
		"an e-mail, whatever its case":         {"AWS+Acme@Example.com", "aws+acme@example.com"},
		"a hosted zone":                        {"arn:aws:route53:::hostedzone/Z1D633PJN98FT9", "Z1D633PJN98FT9"},
	} {
		t.Run(reason, func(t *testing.T) {
			var got []string
			tokens(tc.text, func(s string) { got = append(got, s) })
			if !slices.Contains(got, tc.want) {
				t.Errorf("%q: got %q, want %q among them", tc.text, got, tc.want)
			}
		})
	}
	for reason, text := range map[string]string{
		"a longer number is no account": "1234567890123",
		"a name that ends like an id":   "node-pool-one",
		"a digest has no id in it":      "sha256:6672656568f1d0c0a17e0de1b1d2c3f405162738495a6b7c8d9eafb0c1d2e3f4",
		"words":                         "keep the newest images",
	} {
		t.Run(reason, func(t *testing.T) {
			tokens(text, func(s string) { t.Errorf("%q: %q", text, s) })
		})
	}
}
