package stacks_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/stacks"
)

func TestAProgramIsRefused(t *testing.T) {
	tests := map[string]struct {
		layer  plan.Layer
		config string
		want   string
	}{
		"for a layer that does not exist": {"database", `{}`, `unknown layer "database"`},
		"without its configuration":       {plan.LayerAccount, "", "stack configuration freehold:in is not set"},
		"with configuration that is none": {plan.LayerAccount, `{`, "stack configuration freehold:in: unexpected EOF"},
		"with a field of another version": {plan.LayerBoundary, `{"zone":"a"}`, `stack configuration freehold:in: json: unknown field "zone"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var opts []componenttest.Option
			if tt.config != "" {
				opts = append(opts, componenttest.Config(stacks.ConfigKey, tt.config))
			}
			_, err := componenttest.Run(stacks.Program(tt.layer), opts...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestDecodeReadsWhatAProgramExports(t *testing.T) {
	got, err := stacks.Decode[stacks.ClusterOut](map[string]any{
		"name": "acme", "arn": "a", "endpoint": "https://x", "certificateAuthority": "Y2E=", "oidcIssuer": "https://o",
		"vpcId": "vpc-1", "privateSubnetIds": []any{"subnet-1", "subnet-2"}, "nodeRoleArn": "r", "ofALaterVersion": 1.0,
	})
	want := stacks.ClusterOut{
		Name: "acme", ARN: "a", Endpoint: "https://x", CertificateAuthority: "Y2E=", OIDCIssuer: "https://o",
		VPCID: "vpc-1", PrivateSubnetIDs: []string{"subnet-1", "subnet-2"}, NodeRoleARN: "r",
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Decode: error %v (-want +got):\n%s", err, diff)
	}
}

func TestDecodeNamesEveryHole(t *testing.T) {
	_, err := stacks.Decode[stacks.BootstrapOut](map[string]any{"controllerImage": 7.0, "projects": []any{"a", 1.0}})
	want := strings.Join([]string{
		"stack output namespace is missing",
		"stack output controllerImage is a float64, want string",
		"stack output projects is a []interface {}, want []string",
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("Decode: %v, want\n%s", err, want)
	}
	_, err = stacks.Decode[stacks.AccountOut](map[string]any{"accountId": "", "accessRoleArn": nil})
	want = "stack output accountId is empty\nstack output accessRoleArn is missing"
	if err == nil || err.Error() != want {
		t.Errorf("Decode: %v, want\n%s", err, want)
	}
	if _, err := stacks.Decode[stacks.AccountOut](map[string]any{"accountId": "1", "accessRoleArn": "r"}); err != nil {
		t.Errorf("an optional field that is missing: %v", err)
	}
}
