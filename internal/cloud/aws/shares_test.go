package aws

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/conformance/byhand"
	"freehold.dev/freehold/internal/conformance/lab"
)

// What the emulator can make is made by hand, untagged, and listed with whom it
// is shared.
func TestShares(t *testing.T) {
	l := lab.Start(t)
	l.Setenv()
	const account, externalID, partner = "210987654321", "freehold-0123456789", "310987654321"
	a := cloud.Account{ID: account, Region: lab.Region, RoleARN: l.Adopt(account, "customer-gave-this", externalID), ExternalID: externalID}
	c, err := Open(t.Context(), Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	c.base.HTTPClient = &http.Client{Transport: &http.Transport{Proxy: towards(l.Front.URL())}}
	items, err := c.Shares(t.Context(), a)
	if err != nil || slices.ContainsFunc(items, func(it cloud.Item) bool { return strings.Contains(text(t, it), partner) }) {
		t.Fatalf("an account that nobody used shares %+v, %v", items, err)
	}

	h, err := byhand.Begin(l, byhand.Deal{N: "a", Account: account, Partner: partner, Region: lab.Region, Network: "10.77"})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]string{ // what is shared, and as what it is listed
		"a topic's policy": awstype.SNSTopicPolicy, "a queue's policy": awstype.SQSQueuePolicy, "a secret's policy": awstype.SecretPolicy,
		"a permission of the bus": awstype.EventBusPolicy, "what a user may do": awstype.IAMUserPolicy, "copies of images": awstype.ECRReplication,
		"a RAM share": awstype.RAMPrincipal,
		// The lane cannot make these, because the emulator cannot remove them again.
		"queries of names": awstype.ResolverQueryLog, "a service network's policy": awstype.LatticeAuthPolicy, "a service's policy": awstype.LatticePolicy,
	}
	var want []string
	for _, s := range byhand.All() {
		if by[s.Name] == "" {
			continue
		}
		if err := h.Make(s); err != nil {
			t.Error(err)
		}
		want = append(want, by[s.Name])
	}
	if len(want) != len(by) {
		t.Errorf("%d of %d are known by these names", len(want), len(by))
	}

	items, err = c.Shares(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, it := range items {
		if _, is := awstype.WayOf(it.Type); !is {
			t.Errorf("%s %s is no way of sharing", it.Type, it.ID)
		}
		if strings.Contains(text(t, it), partner) {
			got = append(got, it.Type)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func text(t *testing.T, it cloud.Item) string {
	t.Helper()
	raw, err := json.Marshal(it.Properties)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestAPolicyOfLambdaIsReadAsThePermissionsThatItIsOf(t *testing.T) {
	items, err := permissions(awstype.LambdaPermission, "nightly", `{"Version":"2012-10-17","Statement":[
		{"Sid":"rule","Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"lambda:InvokeFunction","Condition":{"ArnLike":{"AWS:SourceArn":"arn:aws:events:eu-west-1:210987654321:rule/x"}}},
		{"Sid":"bucket","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"lambda:InvokeFunction","Condition":{"StringEquals":{"AWS:SourceAccount":"210987654321"}}},
		{"Sid":"partner","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::310987654321:root"},"Action":"lambda:InvokeFunction"},
		{"Sid":"all","Effect":"Allow","Principal":"*","Action":"lambda:InvokeFunction","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}},
		{"Sid":"no","Effect":"Deny","Principal":"*","Action":"*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	for _, it := range items {
		got = append(got, it.Properties)
	}
	if diff := gocmp.Diff([]map[string]any{
		{"function": "nightly", "statementId": "rule", "principal": "events.amazonaws.com", "sourceArn": "arn:aws:events:eu-west-1:210987654321:rule/x"},
		{"function": "nightly", "statementId": "bucket", "principal": "s3.amazonaws.com", "sourceAccount": "210987654321"},
		{"function": "nightly", "statementId": "partner", "principal": "arn:aws:iam::310987654321:root"},
		{"function": "nightly", "statementId": "all", "principal": "*", "principalOrgId": "o-1", "organizationId": "o-1"},
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := permissions(awstype.LambdaPermission, "nightly", "{"); err == nil {
		t.Error("what cannot be read has no permission")
	}
}
