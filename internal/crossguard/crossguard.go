// Package crossguard serves the isolation rules to Pulumi's engine as a policy
// pack, by the engine's analyzer protocol. The pack's process is Freehold's own
// executable under another name: there is nothing to install, and its rules are
// those of the Freehold that starts it. That one serves them itself, and the
// process is its messenger: see package handover.
//
// It speaks the protocol itself. Pulumi's own SDK for packs in Go (policyx, in
// v3.250) leaves out a resource's provider, does not look at whole stacks, and
// panics on what is not known yet: a rule could not see in which account
// something is made.
//
// Whatever keeps the rules from being asked is an error, and stops the
// operation: see docs/decisions/0010-rules-in-the-engine.md.
package crossguard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"freehold.dev/freehold/internal/crossguard/handover"
	"freehold.dev/freehold/policies"
)

const (
	// Pack is the pack's name, as it stands in the engine's events.
	Pack = "freehold"
	// Analyzer is the plugin that the engine looks for to run the pack.
	Analyzer = "policy-" + runtime
	// ScopeKey is the stack's configuration by which the pack learns whose
	// stack it judges.
	ScopeKey = "freehold:scope"
	// OwnRule is the id of the rule that the pack itself adds: every resource is judged.
	OwnRule = "FH000"

	runtime = "freehold"
)

// Serves reports whether the engine started this process to serve the pack.
func Serves(argv0 string) bool { return handover.Named(argv0) }

// Install makes a folder that is both: the pack, and where its plugin lies. The
// plugin is a link to self, written anew when self has moved.
func Install(dir, self string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the folder of the policy pack: %w", err)
	}
	const manifest = "description: " + Pack + "'s isolation rules\nruntime: " + runtime + "\n"
	file := filepath.Join(dir, "PulumiPolicy.yaml")
	if have, err := os.ReadFile(file); err != nil || string(have) != manifest {
		if err := replace(file, func(tmp string) error { return os.WriteFile(tmp, []byte(manifest), 0o600) }); err != nil {
			return err
		}
	}
	link := filepath.Join(dir, handover.Executable)
	if have, err := os.Readlink(link); err != nil || have != self {
		return replace(link, func(tmp string) error { return os.Symlink(self, tmp) })
	}
	return nil
}

// replace puts a file in place at once: another Freehold may be starting a run.
func replace(name string, write func(tmp string) error) error {
	tmp := fmt.Sprintf("%s.%d", name, os.Getpid())
	_ = os.Remove(tmp) // of an earlier process with this id
	if err := write(tmp); err != nil {
		return fmt.Errorf("install the policy pack: %w", err)
	}
	if err := os.Rename(tmp, name); err != nil {
		return fmt.Errorf("install the policy pack: %w", err)
	}
	return nil
}

// scopeOf reads the scope of a stack from its configuration.
func scopeOf(stack string, config map[string]string) (policies.Scope, error) {
	raw, ok := config[ScopeKey]
	if !ok {
		return policies.Scope{}, fmt.Errorf("the rules do not know whose stack %s is, so nothing is allowed", stack)
	}
	var s policies.Scope
	d := json.NewDecoder(bytes.NewReader([]byte(raw)))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return policies.Scope{}, fmt.Errorf("the rules do not know whose stack %s is: %w", stack, err)
	}
	if stack != s.Org+"."+s.Layer {
		return policies.Scope{}, fmt.Errorf("stack %s was given the scope of org %q and layer %q, which is not its own", stack, s.Org, s.Layer)
	}
	return s, nil
}
