package sandbox

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPulumiHasAHomeOfItsOwnWithoutLogs(t *testing.T) {
	users, dir := t.TempDir(), t.TempDir()
	t.Setenv("PULUMI_HOME", users)
	t.Setenv("PULUMI_CREDENTIALS_PATH", "")
	home := filepath.Join(dir, "pulumi")
	want := map[string]string{"PULUMI_HOME": home, "PULUMI_CREDENTIALS_PATH": users}
	for range 2 { // a second run finds what the first has made
		got, err := pulumiHome(dir)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("variables (-want +got):\n%s", diff)
		}
	}
	if err := os.MkdirAll(filepath.Join(home, "logs"), 0o700); err == nil {
		t.Error("the CLI can make a folder for its logs")
	}
	if err := os.MkdirAll(filepath.Join(users, "plugins", "resource-aws-v6.0.0"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(home, "plugins", "resource-aws-v6.0.0")); err != nil {
		t.Errorf("a plugin that the user installs is not found: %v", err)
	}
	t.Setenv("PULUMI_CREDENTIALS_PATH", "elsewhere")
	if got, err := pulumiHome(dir); err != nil || got["PULUMI_CREDENTIALS_PATH"] != "" {
		t.Errorf("where the user keeps sign-ins is overridden: %v, %v", got, err)
	}
}
