package aws

import (
	"errors"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/event"
)

func TestAnAccountIsFoundWhateverBecameOfItsCreation(t *testing.T) {
	const id = "444455556666"
	ours := map[string]any{
		"email": "aws+acme@example.com", "name": "acme",
		"tags": map[string]any{"Name": "acme", "freehold.dev/org": "acme", "freehold.dev/layer": "account"},
	}
	there := `{"Accounts":[{"Id":"` + id + `","Email":"AWS+acme@example.com"}]}`
	tags := func(org string) string { return `{"Tags":[{"Key":"freehold.dev/org","Value":"` + org + `"}]}` }
	under := func(name string) string {
		return `{"CreateAccountStatuses":[{"Id":"car-1","AccountName":"` + name + `","State":"IN_PROGRESS"}]}`
	}
	for reason, tc := range map[string]struct {
		answers answers
		inputs  map[string]any
		id      string
		err     error  // wrapped
		says    string // in an error that wraps nothing of ours
	}{
		"it was made, and has the org's tag":            {answers: answers{"ListAccounts": there, "ListTagsForResource": tags("acme")}, inputs: ours, id: id},
		"it was made, and is asked for by e-mail alone": {answers: answers{"ListAccounts": there}, inputs: map[string]any{"email": ours["email"]}, id: id},
		"somebody else made one with the e-mail": {
			answers: answers{"ListAccounts": there, "ListTagsForResource": tags("globex")}, inputs: ours, says: "somebody else has made it",
		},
		"its creation is under way": {
			answers: answers{"ListAccounts": `{"Accounts":[]}`, "ListCreateAccountStatus": under("acme")}, inputs: ours, err: cloud.ErrPending,
		},
		"only another creation is under way": {
			answers: answers{"ListAccounts": `{"Accounts":[]}`, "ListCreateAccountStatus": under("globex")}, inputs: ours, err: cloud.ErrNotFound,
		},
		"it cannot be told what is under way": {
			answers: answers{"ListAccounts": `{"Accounts":[]}`, "ListCreateAccountStatus": "400 AccessDeniedException"}, inputs: ours, says: "AccessDenied",
		},
	} {
		t.Run(reason, func(t *testing.T) {
			tc.answers["GetCallerIdentity"] = caller("arn:aws:iam::111122223333:role/r")
			c, _ := tc.answers.cloud(t)
			got, err := c.Find(t.Context(), cloud.Account{Region: "eu-central-1"}, awstype.OrganizationsAccount, tc.inputs)
			if got != tc.id || (tc.says == "") != errors.Is(err, tc.err) || (tc.says != "") && (err == nil || errors.Is(err, cloud.ErrNotFound) || !strings.Contains(err.Error(), tc.says)) {
				t.Errorf("found %q, %v", got, err)
			}
			if p, ok := errors.AsType[*cloud.PendingError](err); errors.Is(tc.err, cloud.ErrPending) && (!ok || p.Reason != event.CreationQueue) {
				t.Errorf("%v does not say what is under way", err)
			}
		})
	}
}
