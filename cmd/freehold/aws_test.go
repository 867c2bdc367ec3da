package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// onAWS runs freehold on AWS as somebody who has neither credentials nor
// plugins, but for those whose folders are named.
func onAWS(t *testing.T, pulumiHome string, args ...string) result {
	t.Helper()
	c := exec.CommandContext(t.Context(), filepath.Join(bin, "freehold"), args...)
	c.Env = []string{
		"HOME=" + t.TempDir(), "PATH=" + bin, "PULUMI_HOME=" + pulumiHome, "AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=eu-west-1",
	}
	return home{t: t}.finish(c)
}

func TestDoctorOnAWSNamesWhatIsMissingAndTheCommandThatInstallsIt(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	r := onAWS(t, empty, "doctor")
	if r.code != 1 {
		t.Errorf("exit %d, want 1", r.code)
	}
	for _, says := range []string{
		"pulumi plugin install resource aws 6.", "pulumi plugin install resource eks 3.", "pulumi plugin install resource kubernetes 4.", "credentials",
		"each spec needs versions.controllerDigest",
	} {
		if !strings.Contains(r.stdout, says) {
			t.Errorf("it does not say %q:\n%s", says, r.stdout)
		}
	}

	_, version, _ := strings.Cut(r.stdout, "resource aws ")
	version, _, _ = strings.Cut(strings.Fields(version)[0], "\n")
	plugin := filepath.Join(empty, "plugins", "resource-aws-v"+version, "pulumi-resource-aws")
	if err := os.MkdirAll(filepath.Dir(plugin), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(plugin, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if r := onAWS(t, empty, "doctor"); strings.Contains(r.stdout, "resource aws") || !strings.Contains(r.stdout, plugin) {
		t.Errorf("it does not find the plugin in Pulumi's cache, %s:\n%s", plugin, r.stdout)
	}
}

func TestAQuotaThatIsFullIsReportedBeforeTheLayerBegins(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	r := h.want(6, "onboard", "-f", h.spec("acme"), "--quota", "organizations:accounts=0")
	for _, says := range []string{`quota "organizations:accounts"`, "is 0, 0 are in use", "next: ask AWS for more", "request-service-quota-increase --region "} {
		if !strings.Contains(r.stderr, says) {
			t.Errorf("it does not say %q:\n%s", says, r.stderr)
		}
	}
}

func TestAQuotaIsNotAskedForWhatIsThere(t *testing.T) {
	t.Parallel()
	h, file := onboarded(t)
	quota := []string{"--quota", "organizations:accounts=1"}
	if r := h.want(6, append(quota, "onboard", "-f", h.spec("globex"))...); !strings.Contains(r.stderr, "is 1, 1 are in use") {
		t.Errorf("another account is refused with\n%s", r.stderr)
	}
	h.want(0, append(quota, "onboard", "-f", file)...)
}
