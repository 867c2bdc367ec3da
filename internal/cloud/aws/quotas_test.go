package aws

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

func TestAQuotaIsTheAccountsOwnOrAWSsDefault(t *testing.T) {
	accounts := `{"Accounts":[{"Id":"1"},{"Id":"2"},{"Id":"3","Status":"SUSPENDED"}]}`
	usual := `{"Quotas":[{"QuotaCode":"L-OTHER","Value":1},{"QuotaCode":"L-29A0C5DF","QuotaName":"Accounts","Value":10}]}`
	quota := func(limit int) []cloud.Quota {
		return []cloud.Quota{{
			Service: "organizations", Code: "L-29A0C5DF", Name: "Accounts", Region: globalRegion, Type: awstype.OrganizationsAccount, Limit: limit, Used: 3,
		}}
	}
	tests := map[string]struct {
		answers answers
		want    []cloud.Quota
		fails   bool
	}{
		"its own, and closed accounts count": {
			answers: answers{"GetServiceQuota": `{"Quota":{"QuotaCode":"L-29A0C5DF","QuotaName":"Accounts","Value":50}}`, "ListAccounts": accounts},
			want:    quota(50),
		},
		"AWS's default, where it has none": {
			answers: answers{"GetServiceQuota": "400 NoSuchResourceException", "ListAWSDefaultServiceQuotas": usual, "ListAccounts": accounts},
			want:    quota(10),
		},
		"none, where Service Quotas does not know it": {
			answers: answers{"GetServiceQuota": "400 NoSuchResourceException", "ListAWSDefaultServiceQuotas": `{"Quotas":[]}`},
		},
		"what may not be read is not taken for room": {
			answers: answers{"GetServiceQuota": "400 AccessDeniedException"}, fails: true,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, _ := tt.answers.cloud(t)
			got, err := c.Quotas(t.Context(), cloud.Account{Region: "eu-central-1"})
			if (err != nil) != tt.fails {
				t.Fatalf("Quotas: %v, want an error: %t", err, tt.fails)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Quotas (-want +got):\n%s", diff)
			}
		})
	}
}
