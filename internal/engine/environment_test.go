package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/blang/semver"
	"github.com/google/go-cmp/cmp"
	_ "github.com/pulumi/pulumi/sdk/v3/go/common/env" // declares what the CLI reads
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/env"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/environ"
)

// undeclared are settings that the CLI or a plugin reads beside those that it
// declares. PULUMI_OPTION_ stands before every flag's name.
var undeclared = []string{
	"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE", "PULUMI_CONFIG", "PULUMI_STACK", "PULUMI_MONITOR", "PULUMI_OPTION_TARGET",
	"PULUMI_CREDENTIALS_PATH", "PULUMI_DEBUG_PROVIDERS", "PULUMI_DEBUG_LANGUAGES", "PULUMI_LEGACY_PROVIDER_PREVIEW",
	"PULUMI_DISABLE_REFRESH_BEFORE_UPDATE", "PULUMI_OPTIMIZED_CHECKPOINT_PATCH", "PULUMI_CLOUD_SECRET_OVERRIDE",
	"PULUMI_K8S_ENABLE_PATCH_FORCE", "PULUMI_K8S_DELETE_UNREACHABLE", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE", "PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT",
}

// TestTheCLIGetsNoSettingButThoseThatSayWhereSomethingIs starts a program in the
// CLI's place that writes down its environment, with everything set that the CLI
// knows, and with secrets that are none of its business.
func TestTheCLIGetsNoSettingButThoseThatSayWhereSomethingIs(t *testing.T) {
	const leak = "of-the-shell"
	secrets := []string{
		"GITHUB_TOKEN", "DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "GOOGLE_CREDENTIALS", "AZURE_CLIENT_SECRET", "VAULT_TOKEN",
		"FREEHOLD_SECRETS_PROVIDER", "KUBECONFIG",
	}
	names := slices.Concat(undeclared, secrets)
	for _, v := range env.Variables() {
		names = append(names, v.Name())
		if other := v.Alternative(); other != "" {
			names = append(names, other)
		}
	}
	if len(names) < 80 {
		t.Fatalf("the CLI declares hardly anything: %q", names)
	}
	for reason, tc := range map[string]struct {
		backend   string
		providers []environ.Need
		want      []string
	}{
		"states in files, and providers of ours": {"file://" + t.TempDir(), nil, nil},
		"states in files, and the AWS provider":  {"file://" + t.TempDir(), []environ.Need{environ.AWS}, []string{"AWS_PROFILE", "AWS_SECRET_ACCESS_KEY"}},
		"states in a bucket of AWS":              {"s3://states", nil, []string{"AWS_PROFILE", "AWS_SECRET_ACCESS_KEY"}},
		"states in a bucket of Google":           {"gs://states", nil, []string{"GOOGLE_CREDENTIALS"}},
		"states at Azure":                        {"azblob://states", nil, []string{"AZURE_CLIENT_SECRET"}},
		"states at Pulumi's service":             {"https://api.pulumi.com", nil, []string{"PULUMI_ACCESS_TOKEN"}},
	} {
		t.Run(reason, func(t *testing.T) {
			dir := t.TempDir()
			said, cli := filepath.Join(dir, "said"), filepath.Join(dir, "pulumi")
			if err := os.WriteFile(cli, []byte("#!/bin/sh\nexport -p >> "+said+"\nexit 1\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			e, err := engine.New(engine.Options{
				CLI:     func(context.Context) (string, semver.Version, error) { return cli, semver.MustParse("3.250.0"), nil },
				Project: "freehold", BackendURL: tc.backend, Dir: filepath.Join(dir, "stacks"),
				Secrets: engine.Passphrases{Dir: filepath.Join(dir, "secrets")}, Providers: tc.providers, Now: time.Now,
				Policies: func() (engine.Policies, error) { return pack(t, dir) },
				Connect: func(context.Context) (map[string]string, error) {
					return map[string]string{"PULUMI_DEBUG_PROVIDERS": "aws:1"}, nil
				},
				Environ: func() []string {
					all := []string{"HOME=/home/ops", "PATH=" + os.Getenv("PATH")}
					for _, name := range names {
						all = append(all, name+"="+leak)
					}
					return all
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Preview(t.Context(), stack("one"), nil); err == nil {
				t.Fatal("the program in the CLI's place was not asked")
			}
			raw, err := os.ReadFile(said)
			if err != nil {
				t.Fatal(err)
			}
			text := string(raw)
			var got []string
			for line := range strings.Lines(text) {
				if name, value, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "export "), "="); strings.Contains(value, leak) {
					got = append(got, name)
				}
			}
			slices.Sort(got)
			want := append([]string{"PULUMI_CREDENTIALS_PATH", "PULUMI_HOME"}, tc.want...)
			slices.Sort(want)
			if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
				t.Errorf("it gets of the shell's (-want +got):\n%s", diff)
			}
			for _, own := range []string{"PULUMI_DEBUG_PROVIDERS='aws:1'", "PULUMI_SKIP_UPDATE_CHECK='true'", "PULUMI_AUTOMATION_API='true'", "HOME='/home/ops'"} {
				if !strings.Contains(strings.ReplaceAll(text, `"`, `'`), own) {
					t.Errorf("it does not get %s:\n%s", own, text)
				}
			}
		})
	}
}

// One shell's passphrase would become that of every org that it onboards.
func TestAPassphraseInTheEnvironmentIsNotTheStacks(t *testing.T) {
	e := newEngine(t)
	t.Setenv("PULUMI_CONFIG_PASSPHRASE", "of-the-shell")
	if _, err := e.Up(t.Context(), stack("one"), nil); err != nil {
		t.Fatal(err)
	}
	if err := e.Check(t.Context(), stack("one")); err != nil {
		t.Errorf("checked with it: %v", err)
	}
	if err := os.Unsetenv("PULUMI_CONFIG_PASSPHRASE"); err != nil {
		t.Fatal(err)
	}
	res, err := e.Up(t.Context(), stack("two"), nil)
	if err != nil || res.Outputs["in"] != "two" {
		t.Errorf("without it: %v, %v", res.Outputs, err)
	}
}
