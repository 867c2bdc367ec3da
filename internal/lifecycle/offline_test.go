package lifecycle

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
)

func TestAPlanWithoutTheCloudRefusesWhatTheRegistryShowsAndSaysWhatNobodyChecked(t *testing.T) {
	made := onboarded(t, version("1.33"), "projects: [{name: gone, deletionPolicy: Delete}]")
	const ran = "which version the cluster and its nodes run by now: it was onboarded with 1.33"
	for reason, tc := range map[string]struct {
		fields []string
		org    string // another one than acme
		want   string // the field that is at fault; empty: it is admitted
		says   string
		next   string
		open   string // what nobody has checked
	}{
		"the version that it has": {fields: []string{version("1.33")}, open: ran},
		"one step":                {fields: []string{version("1.34")}, open: "whether EKS offers Kubernetes 1.34 and the versions of the add-ons in eu-west-1"},
		"a skip":                  {fields: []string{version("1.35")}, want: "cluster.version", says: `from "1.33" to "1.35": EKS upgrades one minor version at a time`, next: `set cluster.version: "1.34"`},
		"a skip of two":           {fields: []string{version("1.36")}, want: "cluster.version", says: `from "1.33" to "1.36"`, next: `set cluster.version: "1.34"`},
		"another range":           {fields: []string{version("1.33"), "network: {cidr: 10.7.0.0/16}"}, want: "network.cidr", says: "cannot change", next: "set it back"},
		"a project that is left out": {
			fields: []string{version("1.33"), "projects: []"}, want: "projects", says: "its namespace would be lost", next: "freehold projects remove acme gone",
		},
		"an org that is new": {
			org: "initech", fields: []string{version("1.36"), "account: {email: it@example.com}"}, open: "whether the organization has an account with this e-mail already",
		},
		"the e-mail of another org": {
			org: "initech", want: "account", says: `e-mail "aws+acme@example.com" belongs to org "acme"`, next: "another account.email",
		},
	} {
		t.Run(reason, func(t *testing.T) {
			fields := append([]string{"projects: [{name: gone, deletionPolicy: Delete}]"}, tc.fields...)
			if tc.org != "" {
				fields = append(fields, "org: "+tc.org)
			}
			proc := made.start(lifecycletest.Machine{Name: "lint"})
			out, refusals, err := PlanOffline(t.Context(), proc.records(), document(t, fields...), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if tc.want == "" {
				if refusals != nil || !slices.ContainsFunc(out.Unchecked, func(u string) bool { return strings.HasPrefix(u, tc.open) }) {
					t.Errorf("refused: %v; not checked: %q, want %q in it", refusals, out.Unchecked, tc.open)
				}
				return
			}
			if len(refusals) != 1 || refusals[0].Field != tc.want || !strings.Contains(refusals[0].Message, tc.says) || !strings.Contains(refusals[0].Next, tc.next) {
				t.Errorf("refused: %+v", refusals)
			}
		})
	}
	t.Run("a downgrade", func(t *testing.T) {
		_, refusals, err := PlanOffline(t.Context(), onboarded(t, version("1.35")).here().records(), document(t, version("1.34")), time.Now())
		if err != nil || len(refusals) != 1 || !strings.Contains(refusals[0].Message, "EKS never downgrades a control plane") {
			t.Errorf("%+v, %v", refusals, err)
		}
	})
	t.Run("without a registry", func(t *testing.T) {
		out, refusals, err := PlanOffline(t.Context(), nil, document(t), time.Now())
		if err != nil || refusals != nil {
			t.Fatalf("%+v, %v", refusals, err)
		}
		want := []string{
			"whether the org was onboarded, and with what: there is no registry here",
			"whether EKS offers Kubernetes 1.35 and the versions of the add-ons in eu-west-1",
			"the zones and the service quotas of the account",
			"what onboard would change, and the isolation rules on it",
		}
		if d := cmp.Diff(want, out.Unchecked); d != "" {
			t.Errorf("not checked (-want +got):\n%s", d)
		}
	})
}
