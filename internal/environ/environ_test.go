package environ_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/environ"
)

func TestEachVariableThatIsPassedOnSaysWhy(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range environ.Variables {
		if v.Name == "" || v.Name == "*" || v.Why == "" || seen[v.Name] {
			t.Errorf("%+v: want a name of its own and a reason", v)
		}
		seen[v.Name] = true
		if strings.HasPrefix(v.Name, "PULUMI_") && strings.HasSuffix(v.Name, "*") {
			t.Errorf("%s lets settings through that nobody has looked at", v.Name)
		}
		if v.For == environ.Process && slices.ContainsFunc([]string{"TOKEN", "SECRET", "KEY", "PASS"}, func(word string) bool { return strings.Contains(v.Name, word) }) {
			t.Errorf("%s looks like a secret, and every process gets it", v.Name)
		}
	}
}

func TestAProcessGetsWhatItNeedsAndNoSecretBesideThat(t *testing.T) {
	all := []string{
		"PATH=/bin", "HOME=/home/ops", "LC_ALL=C", "XDG_CACHE_HOME=/c", "SSL_CERT_FILE=/ca", "HTTPS_PROXY=http://proxy", "no_proxy=internal",
		"NODE_EXTRA_CA_CERTS=/ca", "PULUMI_HOME=/p", "PULUMI_ACCESS_TOKEN=pul-1", "PULUMI_CONFIG_PASSPHRASE=x", "PULUMI_CONFIG_PASSPHRASE_FILE=/f",
		"PULUMI_SKIP_CHECKPOINTS=true", "PULUMI_OPTION_TARGET=x", "PULUMI_K8S_ENABLE_PATCH_FORCE=true", "AWS_PROFILE=freehold",
		"AWS_SECRET_ACCESS_KEY=s", "AWS_ENDPOINT_URL_S3=http://s3", "GOOGLE_CREDENTIALS={}", "AZURE_STORAGE_KEY=k", "VAULT_TOKEN=v",
		"GITHUB_TOKEN=g", "DATABASE_URL=postgres://u:p@h", "KUBECONFIG=/k", "NODE_TLS_REJECT_UNAUTHORIZED=0", "LD_PRELOAD=/l",
		"FREEHOLD_SECRETS_PROVIDER=awskms://x", "FREEHOLD_HOME=/f", "PATHS=/x", "LC=x", "=C:=x", "no equals sign",
	}
	process := []string{"PATH", "HOME", "LC_ALL", "XDG_CACHE_HOME", "SSL_CERT_FILE"}
	pulumi := slices.Concat(process, []string{"HTTPS_PROXY", "no_proxy", "NODE_EXTRA_CA_CERTS", "PULUMI_HOME", "FREEHOLD_HOME"})
	for reason, tc := range map[string]struct {
		needs []environ.Need
		want  []string
	}{
		"a control plane":                      {nil, process},
		"the CLI in the sandbox":               {[]environ.Need{environ.Pulumi, environ.Of("file:///state")}, pulumi},
		"the CLI on AWS":                       {[]environ.Need{environ.Pulumi, environ.AWS}, slices.Concat(pulumi, []string{"AWS_PROFILE", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"})},
		"a bucket of AWS":                      {[]environ.Need{environ.Of("s3://states?region=x")}, slices.Concat(process, []string{"AWS_PROFILE", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"})},
		"a key of AWS":                         {[]environ.Need{environ.Of("awskms://alias/x")}, slices.Concat(process, []string{"AWS_PROFILE", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3"})},
		"a bucket of Google":                   {[]environ.Need{environ.Of("gs://states")}, slices.Concat(process, []string{"GOOGLE_CREDENTIALS"})},
		"a key of Google":                      {[]environ.Need{environ.Of("gcpkms://projects/x")}, slices.Concat(process, []string{"GOOGLE_CREDENTIALS"})},
		"a container of Azure":                 {[]environ.Need{environ.Of("azblob://states")}, slices.Concat(process, []string{"AZURE_STORAGE_KEY"})},
		"a key of Azure":                       {[]environ.Need{environ.Of("azurekeyvault://x")}, slices.Concat(process, []string{"AZURE_STORAGE_KEY"})},
		"a key of a Vault":                     {[]environ.Need{environ.Of("hashivault://x")}, slices.Concat(process, []string{"VAULT_TOKEN"})},
		"Pulumi's service":                     {[]environ.Need{environ.Of("https://api.pulumi.com")}, slices.Concat(process, []string{"PULUMI_ACCESS_TOKEN"})},
		"a key that Pulumi's service has":      {[]environ.Need{environ.Of("default")}, slices.Concat(process, []string{"PULUMI_ACCESS_TOKEN"})},
		"a passphrase, which is Freehold's to": {[]environ.Need{environ.Of("passphrase")}, process},
	} {
		t.Run(reason, func(t *testing.T) {
			var got []string
			for _, v := range environ.Passed(all, tc.needs...) {
				name, _, _ := strings.Cut(v, "=")
				got = append(got, name)
			}
			slices.Sort(got)
			slices.Sort(tc.want)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestASettingOfPulumisThatIsDroppedIsNamedWithoutItsValue(t *testing.T) {
	got := environ.Dropped([]string{
		"PULUMI_HOME=/p", "PULUMI_PARALLEL=1", "PULUMI_CONFIG_PASSPHRASE=hunter2", "PULUMI_ACCESS_TOKEN=pul-1", "GITHUB_TOKEN=g", "PULUMI_PARALLEL=2",
	}, environ.Pulumi)
	if diff := cmp.Diff([]string{"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_PARALLEL"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := environ.Dropped([]string{"PULUMI_ACCESS_TOKEN=pul-1"}, environ.Service); len(got) > 0 {
		t.Errorf("dropped %q, and the service needs it", got)
	}
}
