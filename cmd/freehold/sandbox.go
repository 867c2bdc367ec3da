package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/sandbox"
	"freehold.dev/freehold/internal/server/tryissuer"
)

// sandboxCommands joins the sandbox cloud to its commands.
type sandboxCommands struct {
	*sandbox.Cloud
	home    string
	backend string
}

func openSandbox(ctx context.Context, o cli.Options, home string, log *slog.Logger) (*sandbox.Cloud, error) {
	quotas := map[string]int{}
	for _, q := range o.Quotas {
		name, number, _ := strings.Cut(q, "=")
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("quota %q: want name=number, such as organizations:accounts=20", q)
		}
		quotas[name] = n
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this executable: %w", err)
	}
	dir, args, env := filepath.Join(home, "cloud"), []string{"--home", o.Home}, map[string]string{"FREEHOLD_HOME": o.Home}
	if o.SandboxDir != "" {
		dir, args = o.SandboxDir, append(args, "--sandbox-dir", o.SandboxDir)
		env["FREEHOLD_SANDBOX_DIR"] = o.SandboxDir
	}
	return sandbox.Open(ctx, sandbox.Options{
		Dir:        dir,
		Clock:      time.Now,
		Latency:    o.Latency,
		Faults:     o.Faults,
		Quotas:     quotas,
		Log:        log,
		Executable: self,
		Args:       args,
		Env:        env,
	})
}

// Remove deletes one item behind the engine's back.
func (s sandboxCommands) Remove(ctx context.Context, owner, typ, item string, force bool) error {
	return s.Erase(ctx, owner, typ, item, force)
}

// IDToken signs in a user of the trial login, without a browser.
func (s sandboxCommands) IDToken(_ context.Context, org, user string) (string, error) {
	token, err := tryissuer.Mint(filepath.Join(s.home, serveFolder, issuerFolder), org, user, time.Now())
	if errors.Is(err, tryissuer.ErrUnknown) {
		err = fmt.Errorf("%w: %w", lifecycle.ErrInvalid, err)
	}
	return token, err
}

// Reset forgets the sandbox and all that was recorded of its orgs.
func (s sandboxCommands) Reset(ctx context.Context) error {
	if err := s.Cloud.Reset(ctx); err != nil {
		return err
	}
	var errs []error
	for _, name := range []string{"state", "stacks", "secrets", "locks", "registry.db", "registry.db-wal", "registry.db-shm"} {
		errs = append(errs, os.RemoveAll(filepath.Join(s.home, name)))
	}
	return errors.Join(errs...)
}

// Exec runs a command with the environment by which the plain pulumi CLI
// reaches the sandbox's providers, the stacks' programs and the stacks' states.
// FREEHOLD_STACKS is where the stacks' settings are. What cancels ctx is a
// signal, and the command gets that itself: the providers serve it to its end.
func (s sandboxCommands) Exec(ctx context.Context, argv []string, stdin io.Reader, stdout, stderr io.Writer) (int, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	env, err := s.ProviderEnv(ctx, nil)
	if err != nil {
		return 1, err
	}
	languages, err := serveLanguage(ctx, stderr)
	if err != nil {
		return 1, err
	}
	pulumi, _, err := pulumiIn(s.home).find(ctx)
	if err != nil {
		return 1, err
	}
	stacks := filepath.Join(s.home, "stacks")
	argv = slices.Clone(argv)
	for i, a := range argv {
		argv[i] = strings.NewReplacer("${FREEHOLD_STACKS}", stacks, "$FREEHOLD_STACKS", stacks).Replace(a)
	}
	program := argv[0]
	if program == "pulumi" {
		program = pulumi
	}
	cmd := exec.Command(program, argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.Env = append(os.Environ(), "PULUMI_BACKEND_URL="+s.backend, "FREEHOLD_STACKS="+stacks, languages,
		"PULUMI_SKIP_UPDATE_CHECK=true",
		"PATH="+filepath.Dir(pulumi)+string(os.PathListSeparator)+os.Getenv("PATH"))
	for k, v := range env {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	if org, ok := orgOf(argv); ok {
		secrets, err := secretsOf(s.home, os.Getenv)
		if err != nil {
			return 1, err
		}
		// Without a passphrase the command may still do what needs none.
		secret, err := secrets.Open(org, engine.Key{Type: "passphrase"})
		if err != nil && !errors.Is(err, engine.ErrSecrets) {
			return 1, err
		}
		for k, v := range secret {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
	}
	status, err := runWithSignals(cmd)
	if err != nil {
		return 1, fmt.Errorf("run %s: %w", argv[0], err)
	}
	return status, nil
}

// orgOf finds the org that a pulumi command line names by its stack, also one
// that is given to a shell: its passphrase goes with it, and no other org's.
func orgOf(argv []string) (string, bool) {
	for a := range strings.FieldsSeq(strings.Join(argv, " ")) {
		a = strings.Trim(strings.TrimPrefix(a, "--stack="), `"'`)
		if org, ok := plan.OrgOf(a); ok {
			return org, true
		}
	}
	return "", false
}
