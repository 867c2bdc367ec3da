package document

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
	"sync"

	"freehold.dev/freehold/internal/iam"
)

// awsAccount is one row of awsaccounts.txt: what AWS publishes from accounts of its
// own, and in which form a resource may name one of them.
type awsAccount struct {
	form, page, what string
	ids              []string
}

//go:embed awsaccounts.txt
var awsAccountsText string

var awsAccounts = sync.OnceValue(func() []awsAccount {
	var rows []awsAccount
	for line := range strings.Lines(awsAccountsText) {
		line = strings.TrimSuffix(line, "\n")
		switch ids, more := strings.CutPrefix(line, "\t"); {
		case strings.HasPrefix(line, "#"):
		case more:
			last := &rows[len(rows)-1]
			last.ids = append(last.ids, strings.Fields(ids)...)
		default:
			f := strings.SplitN(line, " ", 3)
			rows = append(rows, awsAccount{form: f[0], page: f[1], what: f[2]})
		}
	}
	return rows
})

// The forms in which AWS's own accounts are named: the host of a registry, the ARN of
// a Lambda layer after which the name begins, and the root principal that writes
// access logs.
const (
	formRegistry = "registry"
	formLayer    = "layer:"
	formLogs     = "logs"
)

// registryHost finds the account of a registry's host at the beginning of an image.
// AWS's registries serve their own Region's host, and no other.
var registryHost = regexp.MustCompile(
	`^(?:https://)?(\d{12})\.dkr(?:\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.(?:com|com\.cn|eu)|-ecr(?:-fips)?\.[a-z0-9-]+\.on\.aws)(?:[/:]|$)`)

// ofAWS reports whether a text names one of AWS's own accounts in the form in which
// AWS publishes from it. Another form, a role of that account for one, is not.
func ofAWS(text, account string) bool {
	return slices.ContainsFunc(awsAccounts(), func(a awsAccount) bool {
		if !slices.Contains(a.ids, account) {
			return false
		}
		name, layer := strings.CutPrefix(a.form, formLayer)
		switch {
		case a.form == formRegistry:
			m := registryHost.FindStringSubmatch(text)
			return m != nil && m[1] == account
		case layer:
			arn, err := iam.ParseARN(text)
			return err == nil && arn.Service == "lambda" && arn.Account == account && strings.HasPrefix(arn.Resource, "layer:"+name)
		default:
			return false
		}
	})
}

// RegistryOfAWS reports whether an image comes from one of AWS's own registries.
func RegistryOfAWS(image string) bool {
	m := registryHost.FindStringSubmatch(image)
	return m != nil && ofAWS(image, m[1])
}

// logWriter reports whether a principal writes the access logs of load balancers: the
// account of AWS's that does in a Region, or the service that does in newer ones.
func logWriter(kind, id string) bool {
	switch kind {
	case "Service":
		return id == "logdelivery.elasticloadbalancing.amazonaws.com"
	case "AWS":
		account := id
		if !iam.IsAccount(id) {
			arn, err := iam.ParseARN(id)
			if err != nil || arn.Service != "iam" || arn.Resource != "root" {
				return false
			}
			account = arn.Account
		}
		return slices.ContainsFunc(awsAccounts(), func(a awsAccount) bool {
			return a.form == formLogs && slices.Contains(a.ids, account)
		})
	default:
		return false
	}
}

// writesOwnLogs reports whether a statement lets load balancers write access logs, and
// those of the account only: AWS documents no condition for it, and the path that it
// writes to has the account of the load balancer, which nobody can choose.
//
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
func writesOwnLogs(st iam.Statement, account string) bool {
	if len(st.Action) == 0 || len(st.Resource) == 0 || account == "" {
		return false
	}
	own := "/AWSLogs/" + account + "/"
	return !slices.ContainsFunc(st.Action, func(a string) bool { return !strings.EqualFold(a, "s3:PutObject") }) &&
		!slices.ContainsFunc(st.Resource, func(r string) bool {
			head, _, ok := strings.Cut(OwnVariables(r, account), own)
			return !ok || strings.ContainsAny(head, "*?")
		})
}
