package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Run runs one command line and returns its exit status.
func Run(ctx context.Context, args []string, env Env) int {
	env.Stdout, env.Stderr = &escaped{w: env.Stdout}, &escaped{w: env.Stderr}
	a := &app{env: env, log: &logWriter{plain: env.Stderr}}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	cmd, err := root.ExecuteContextC(ctx)
	err = errors.Join(err, a.close())
	if err != nil {
		a.endStream(cmd, args, err)
	}
	printError(env.Stderr, err, a.opt.Verbose)
	return exitCode(err)
}

// app is one invocation.
type app struct {
	env Env
	// What was typed; opt and output are complete after options.
	flags  globalFlags
	opt    Options
	output output
	log    *logWriter

	services  *Services // nil until wired
	lifecycle Lifecycle // nil until opened
	server    Remote    // nil until reached
	org       string    // the org that the spec states, once it was read
	doc       document  // the spec, once it was read
	sheets    []sheet   // the specs, once they were read, of a run over several
	streamed  bool      // an operation's events were streamed
}

// document is a spec as it was read.
type document struct {
	name string // for messages
	text []byte
}

// wire returns the services, which are built on first use.
func (a *app) wire(cmd *cobra.Command) (Services, error) {
	if a.services != nil {
		return *a.services, nil
	}
	if a.opt.Cloud == CloudSandbox && a.opt.Home == "" {
		return Services{}, noHome(cmd)
	}
	if a.env.Wire == nil {
		return Services{}, errors.New("this build has a command line only")
	}
	s, err := a.env.Wire(cmd.Context(), a.opt)
	if err != nil {
		return Services{}, err
	}
	a.services = &s
	return s, nil
}

// open returns the use cases, which open the registry on first use.
func (a *app) open(cmd *cobra.Command) (Lifecycle, error) {
	if a.lifecycle != nil {
		return a.lifecycle, nil
	}
	if a.opt.Server != "" {
		r, err := a.remote()
		if err != nil {
			return nil, err
		}
		a.lifecycle = served{Remote: r, url: a.opt.Server, doc: func() []byte { return a.doc.text }}
		return a.lifecycle, nil
	}
	if a.opt.Home == "" {
		return nil, noHome(cmd)
	}
	s, err := a.wire(cmd)
	if err != nil {
		return nil, err
	}
	a.lifecycle, err = s.Lifecycle(cmd.Context())
	return a.lifecycle, err
}

func noHome(cmd *cobra.Command) error {
	return usagef(cmd, "there is no home folder to keep data in: set --home or FREEHOLD_HOME")
}

func (a *app) close() error {
	if a.services == nil || a.services.Close == nil {
		return nil
	}
	if err := a.services.Close(); err != nil {
		return fmt.Errorf("close what the command opened: %w", err)
	}
	return nil
}

// operation marks a command whose events are streamed, with the operation's kind.
const operation = "operation"

// endStream sends the terminal event of an operation that failed before its
// stream began: an unknown flag, a spec with mistakes, services that could not
// be wired. It names the org when that is known: the one argument, or what the
// spec states even when the rest of it is wrong.
func (a *app) endStream(cmd *cobra.Command, args []string, err error) {
	kind := cmd.Annotations[operation]
	if kind == "" || a.streamed || (a.output != asNDJSON && !asksForEvents(args)) {
		return
	}
	org := a.org
	if named := a.serverNamed(); named != "" && a.env.ServerOrg != nil {
		if host, err := a.env.ServerOrg(named); err == nil && host != "" {
			org = host
		}
	} else if rest := cmd.Flags().Args(); len(rest) == 1 && kind != "onboard" && kind != "plan" || len(rest) > 0 && kind == "projects" {
		org = rest[0]
	}
	lines := &eventLines{w: a.env.Stdout}
	if len(a.sheets) > 0 {
		for _, r := range refusals(a.sheets, err) {
			newStream(kind, r.org, a.env.Now, lines.event).end(nil, r.err)
		}
		return
	}
	newStream(kind, org, a.env.Now, lines.event).end(nil, err)
}

// asksForEvents finds the output format in a command line that could not be parsed.
func asksForEvents(args []string) bool {
	for i, arg := range args {
		switch {
		case arg == "--":
			return false
		case slices.Contains([]string{"-ondjson", "-o=ndjson", "--output=ndjson"}, arg):
			return true
		case (arg == "-o" || arg == "--output") && i+1 < len(args):
			return args[i+1] == string(asNDJSON)
		}
	}
	return false
}

// usagef is a mistake in how cmd was called.
func usagef(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{command: cmd.CommandPath(), text: fmt.Sprintf(format, args...)}
}

// exactly accepts the named arguments, no more and no fewer.
func exactly(names ...string) cobra.PositionalArgs {
	return between(len(names), names...)
}

// between accepts at least the first least of the named arguments.
func between(least int, names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least {
			return usagef(cmd, "%s: %s is missing", cmd.Name(), names[len(args)])
		}
		if len(args) > len(names) {
			return usagef(cmd, "%s: unexpected argument %q", cmd.Name(), args[len(names)])
		}
		return nil
	}
}

// group is the run function of a command that only has subcommands.
func group(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return cmd.Help()
	}
	text := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		text += "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef(cmd, "%s", text)
}
