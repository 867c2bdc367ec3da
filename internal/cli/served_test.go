package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// A new command has to say how it works with a server: one that nobody thought
// about would read this machine's registry, and show it as the server's.
func TestEachCommandSaysHowItWorksWithAServer(t *testing.T) {
	seen := map[string]bool{}
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		path := pathOf(cmd)
		seen[path] = true
		how, known := conductOf(cmd)
		if !known {
			t.Errorf("%q is not in the table of conducts", path)
		}
		if known && how.host == noHost && how.why == "" {
			t.Errorf("%q refuses a server, and does not say why", path)
		}
		for _, flag := range how.without {
			if cmd.Flags().Lookup(flag) == nil {
				t.Errorf("%q has no flag --%s", path, flag)
			}
		}
		if first := strings.Fields(cmd.Use); how.org && (len(first) < 2 || !strings.Contains(first[1], "ORG")) {
			t.Errorf("%q does not take an ORG first: %s", path, cmd.Use)
		}
		for _, c := range cmd.Commands() {
			look(c)
		}
	}
	look((&app{}).root())
	for path := range conducts {
		if !seen[path] {
			t.Errorf("%q is in the table, and is no command", path)
		}
	}
}

// What another program runs inherits FREEHOLD_SERVER, and must not be refused.
func TestHiddenCommandsWorkWhateverServerIsNamed(t *testing.T) {
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		if how, _ := conductOf(cmd); cmd.Hidden && how.host != anyway {
			t.Errorf("%q is hidden, and does not work with FREEHOLD_SERVER", pathOf(cmd))
		}
		for _, c := range cmd.Commands() {
			look(c)
		}
	}
	look((&app{}).root())
}

// Each command that refuses a server does so before it does anything.
func TestACommandThatRefusesAServerDoesNothing(t *testing.T) {
	tried := 0
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		for _, c := range cmd.Commands() {
			look(c)
		}
		how, _ := conductOf(cmd)
		if how.host != noHost || cmd.RunE == nil || cmd.HasSubCommands() {
			return
		}
		tried++
		var said strings.Builder
		args := append([]string{"--server", "https://acme.freehold.example.com"}, strings.Fields(pathOf(cmd))...)
		code := Run(t.Context(), args, Env{
			Stdout: &said, Stderr: &said, Getenv: func(string) string { return "" },
			Remote:    func(Options) (Remote, error) { t.Error("the server was reached"); return nil, nil },
			ServerOrg: func(string) (string, error) { return "acme", nil },
		})
		if code != exitInvalid || !strings.Contains(said.String(), "does not work with a server") || !strings.Contains(said.String(), how.why) {
			t.Errorf("%s: exit status %d: %s", pathOf(cmd), code, &said)
		}
	}
	look((&app{}).root())
	if tried < 10 {
		t.Errorf("%d commands were tried", tried)
	}
}

// A flag of this machine is refused, and not ignored.
func TestAFlagOfThisMachineIsRefusedWithAServer(t *testing.T) {
	for path, how := range conducts {
		if how.host == noHost || how.host == anyway || slices.Contains([]string{"get", "projects", "audit-log"}, path) {
			continue
		}
		for _, flag := range append(slices.Clone(how.without), "sandbox", "backend", "registry") {
			var said strings.Builder
			typed := "--" + flag
			if !slices.Contains([]string{"sandbox", "offline", "dry-run", "fleet", "all"}, flag) {
				typed += "=/x"
			}
			server, org := "https://acme.freehold.example.com", "acme"
			if how.host == operatorsHost {
				server, org = "https://op.freehold.example.com", ""
			}
			code := Run(t.Context(), append(append([]string{"--server", server}, strings.Fields(path)...), typed), Env{
				Stdout: &said, Stderr: &said, Getenv: func(string) string { return "" },
				Remote:    func(Options) (Remote, error) { t.Error("the server was reached"); return nil, nil },
				ServerOrg: func(string) (string, error) { return org, nil },
			})
			if code != exitInvalid || !strings.Contains(said.String(), "leave it out") {
				t.Errorf("%s %s: exit status %d: %s", path, typed, code, &said)
			}
		}
	}
}
