package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/engine"
)

func TestTheSecretsProviderIsChosenByTheEnvironment(t *testing.T) {
	const home = "/home/ops/freehold/aws"
	own := engine.Passphrases{Dir: filepath.Join(home, "secrets")}
	for reason, tc := range map[string]struct {
		value string
		want  engine.Secrets
		err   string // "": none
	}{
		"none is named":               {"", own, ""},
		"a key of a cloud":            {"awskms://alias/freehold-{org}", engine.CloudKey{URL: "awskms://alias/freehold-{org}", Before: own}, ""},
		"what the service has":        {"default", engine.CloudKey{URL: "default", Before: own}, ""},
		"a folder that machines have": {"passphrase:///srv/secrets", engine.Passphrases{Dir: "/srv/secrets", Shared: true}, ""},
		"a passphrase of the shell's": {"passphrase", nil, "would be every org's"},
		"a folder that is relative":   {"passphrase://srv/secrets", nil, "want an absolute folder"},
		"no folder":                   {"passphrase://", nil, "want an absolute folder"},
	} {
		t.Run(reason, func(t *testing.T) {
			got, err := secretsOf(home, func(name string) string {
				if name != "FREEHOLD_SECRETS_PROVIDER" {
					t.Errorf("it asks for %s", name)
				}
				return tc.value
			})
			if (err != nil) != (tc.err != "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Fatalf("error %v, want %q", err, tc.err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}
