package main_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/blang/semver"
	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/policyx"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

const housePlugin = "pulumi-analyzer-policy-house"

// housePack is a pack that an operator has written, by Pulumi's own SDK.
func housePack(*pulumi.Context) (policyx.PolicyPack, error) {
	return policyx.NewPolicyPack("house", semver.MustParse("1.0.0"), policyx.EnforcementLevelMandatory, []policyx.Policy{
		policyx.NewResourceValidationPolicy("keep-logs", policyx.ResourceValidationPolicyArgs{
			Description: "Logs are kept for a year", EnforcementLevel: policyx.EnforcementLevelMandatory,
			ValidateResource: func(_ context.Context, a policyx.ResourceValidationArgs) error {
				days, ok := a.Resource.Properties.GetOk("retentionInDays")
				if a.Resource.Type == "aws:cloudwatch/logGroup:LogGroup" && ok && days.IsNumber() && days.AsNumber() < 365 {
					a.Manager.ReportViolation("they are kept for less", "")
				}
				return nil
			},
		}),
	})
}

// withHousePack is the home with the operator's pack in force.
func (h home) withHousePack() home {
	h.t.Helper()
	self, err := os.Executable()
	if err != nil {
		h.t.Fatal(err)
	}
	pack, onPath := filepath.Join(h.dir, "house"), filepath.Join(h.dir, "plugins")
	for _, dir := range []string{pack, onPath} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(pack, "PulumiPolicy.yaml"), []byte("runtime: house\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(onPath, housePlugin)); err != nil {
		h.t.Fatal(err)
	}
	h.env = append(slices.Clip(h.env), "PATH="+onPath+string(os.PathListSeparator)+os.Getenv("PATH"), "FREEHOLD_POLICY_PACK="+pack)
	return h
}

func TestAnOperatorsPackBlocksBeforeAnythingIsChanged(t *testing.T) {
	t.Parallel()
	bare, file := onboarded(t)
	h := bare.withHousePack()
	h.want(0, "onboard", "-f", file)
	before := h.journal()

	file = h.spec("acme", inhabited, "network: {flowLogRetentionDays: 30}")
	sarif := filepath.Join(h.dir, "found.sarif")
	done := decode[event.Onboarding](t, h.want(3, "onboard", "-f", file, "-o", "json", "--sarif", sarif))
	planned := decode[event.Plan](t, h.want(3, "plan", "-f", file, "-o", "json"))
	for name, found := range map[string][]finding.Policy{"onboard": done.Policy, "plan": planned.Policy} {
		var got []string
		for _, f := range found {
			got = append(got, f.Rule+" "+f.Layer+" "+f.Resource.Name+": "+f.Message)
		}
		if d := cmp.Diff([]string{"house/keep-logs cluster network-flows: Logs are kept for a year; they are kept for less"}, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
	if after := h.journal(); after != before {
		t.Errorf("%d changes were made", after-before)
	}
	var doc struct {
		Runs []struct{ Results []struct{ RuleID string } }
	}
	if raw, err := os.ReadFile(sarif); err != nil || json.Unmarshal(raw, &doc) != nil || len(doc.Runs) != 1 || len(doc.Runs[0].Results) != 1 {
		t.Errorf("the SARIF file: %s, %v", raw, err)
	}
	bare.want(0, "onboard", "-f", file)
}

func TestAnExceptionMustAnswerForSomething(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	exception := func(rule, expires string) string {
		return "exceptions: [{rule: " + rule + ", resource: a-bucket, reason: it has to be so, approver: ciso@example.com, expires: \"" + expires + "\"}]"
	}
	for reason, tc := range map[string]struct{ spec, says string }{
		"past its day":                {exception("FH607", "2020-12-31"), `the exception of FH607 for "a-bucket" has expired on 2020-12-31`},
		"of a rule that there is not": {exception("FH999", "2099-12-31"), "there is no rule FH999"},
		"of a rule that allows none":  {exception("FH103", "2099-12-31"), "allows no exception"},
		"on a day that there is not":  {exception("FH607", "2099-02-30"), "is not a day of the calendar"},
		"of nobody":                   {"exceptions: [{rule: FH607, resource: a, reason: it has to be so, expires: \"2099-12-31\"}]", "exceptions[0].approver"},
	} {
		t.Run(reason, func(t *testing.T) {
			for _, command := range []string{"plan", "onboard"} {
				if r := h.want(4, command, "-f", h.spec("acme", tc.spec)); !strings.Contains(r.stderr, tc.says) {
					t.Errorf("%s says\n%s\nwant %s", command, r.stderr, tc.says)
				}
			}
		})
	}
	if r := h.want(2, "plan", "-f", h.spec("acme", exception("FH607", "2099-12-31"))); !strings.Contains(r.stdout, "until 2099-12-31") {
		t.Errorf("the plan does not show the exception:\n%s", r.stdout)
	}
}

// What is in the pack's folder is put right at the next run.
func TestThePackCannotBeTakenAway(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	file := h.spec("acme")
	h.want(2, "plan", "-f", file)
	dir := filepath.Join(h.dir, "sandbox", "policy")
	plugin := filepath.Join(dir, "pulumi-analyzer-policy-freehold")
	for reason, do := range map[string]func() error{
		"removed": func() error { return os.RemoveAll(dir) },
		"another in its place": func() error {
			if err := os.Remove(plugin); err != nil {
				return err
			}
			return os.Symlink("/bin/true", plugin)
		},
		"of another language": func() error {
			return os.WriteFile(filepath.Join(dir, "PulumiPolicy.yaml"), []byte("runtime: nodejs\n"), 0o600)
		},
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
		h.want(2, "plan", "-f", file)
		if to, err := os.Readlink(plugin); err != nil || to != filepath.Join(bin, "freehold") {
			t.Errorf("%s: the plugin is %q, %v", reason, to, err)
		}
	}
}
