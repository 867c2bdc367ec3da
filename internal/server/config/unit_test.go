package config

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheUnitOfSystemdIsValidAndGivesTheServerTimeToStop(t *testing.T) {
	text, err := os.ReadFile(deployment + "freehold.service")
	if err != nil {
		t.Fatal(err)
	}
	settings := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(line, "#") {
			settings[name] = value
		}
	}
	c, err := Load(Config{}, deployment+"freehold.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	within, err := time.ParseDuration(settings["TimeoutStopSec"])
	if err != nil || within < c.StopWithin+10*time.Second || within > c.StopWithin+time.Minute {
		t.Errorf("it is killed after %s, and may take %s to stop", settings["TimeoutStopSec"], c.StopWithin)
	}
	if got := settings["ExecStart"]; got != "/usr/local/bin/freehold serve --config /etc/freehold/freehold.yaml" {
		t.Errorf("it starts %s", got)
	}

	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("NOT ASKED: systemd-analyze is not on this machine, and nobody else knows whether a unit is valid")
	}
	// The program is not installed here.
	unit := filepath.Join(t.TempDir(), "freehold.service")
	started := strings.Replace(string(text), "/usr/local/bin/freehold", "/bin/true", 1)
	if err := os.WriteFile(unit, []byte(started), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"verify", "--man=no", unit},
		// What it could do to the machine, on a scale to 100: 16 with the network,
		// which it needs.
		{"security", "--offline=true", "--no-pager", "--threshold=20", unit},
	} {
		out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput()
		if err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}
