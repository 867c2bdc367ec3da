package cli_test

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
)

// script is the state of one script: a world that lasts from command to command.
type script struct {
	world   *world
	typed   string // what the next command reads from a terminal
	piped   *string
	status  int
	options cli.Options
}

// TestScripts runs the scripts under testdata. Each freehold command runs in
// this process, against a world of the script's own. UPDATE=1 rewrites what
// they expect.
//
//	freehold ARG...   runs a command; its exit status is kept
//	exits N           says what that status was
//	ends [EVENT...]   says how the operations on standard output ended, in the
//	                  order of the words; without an EVENT: none did
//	types TEXT        lets the next command have a terminal, on which TEXT is typed
//	pipes FILE        gives the next command a file on standard input
//	world TROUBLE     lets something go wrong from now on; "fine" ends it
//	drifts ORG KIND   lets an org drift
//	reserves ORG KIND VALUE  gives an org a claim on what was never made
//	webhookhosts HOST...  says which hosts the last command allowed webhooks to
//	packs DIR...      says which policy packs of the operator's the last command had
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                "testdata",
		UpdateScripts:      os.Getenv("UPDATE") != "",
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Values["script"] = &script{world: newWorld(newClock())}
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"freehold": runFreehold,
			"exits": func(ts *testscript.TestScript, _ bool, args []string) {
				if got := of(ts).status; strconv.Itoa(got) != args[0] {
					ts.Fatalf("exit status %d, want %s", got, args[0])
				}
			},
			"ends":  endsWith,
			"types": func(ts *testscript.TestScript, _ bool, args []string) { of(ts).typed = args[0] + "\n" },
			"pipes": func(ts *testscript.TestScript, _ bool, args []string) {
				text := ts.ReadFile(args[0])
				of(ts).piped = &text
			},
			"world": func(ts *testscript.TestScript, _ bool, args []string) { of(ts).world.trouble = args[0] },
			"drifts": func(ts *testscript.TestScript, _ bool, args []string) {
				o := of(ts).world.orgs[args[0]]
				o.drift = append(o.drift, findings[args[1]])
			},
			"reserves": func(ts *testscript.TestScript, _ bool, args []string) {
				w := of(ts).world
				w.claimed[args[0]] = append(w.claimed[args[0]], event.Claim{Kind: args[1], Value: args[2]})
			},
			"packs": func(ts *testscript.TestScript, _ bool, args []string) {
				got := strings.ReplaceAll(strings.Join(of(ts).options.PolicyPacks, " "), ts.Getenv("WORK")+"/", "")
				if want := strings.Join(args, " "); got != want {
					ts.Fatalf("packs %q, want %q", got, want)
				}
			},
			"webhookhosts": func(ts *testscript.TestScript, _ bool, args []string) {
				if got := of(ts).options.WebhookHosts; !slices.Equal(got, args) {
					ts.Fatalf("hosts %q, want %q", got, args)
				}
			},
			"options": func(ts *testscript.TestScript, _ bool, args []string) {
				o := of(ts).options
				got := strings.Join([]string{o.Cloud, o.Home, o.Backend, o.Registry, o.SandboxDir, o.Latency, strings.Join(o.Faults, "+"), strings.Join(o.Quotas, "+"), strconv.FormatBool(o.Verbose)}, " ")
				got = strings.ReplaceAll(got, ts.Getenv("WORK"), "$WORK")
				if got != args[0] {
					ts.Fatalf("options\n got %s\nwant %s", got, args[0])
				}
			},
		},
	})
}

// endsWith reads CloudEvents and wants the terminal ones to be the named ones,
// with no operation ending twice and nothing of an operation after its end.
func endsWith(ts *testscript.TestScript, _ bool, args []string) {
	var ends []string
	ended := map[string]bool{}
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		var e struct {
			Type, Subject string
			Data          struct{ Operation string }
		}
		ts.Check(json.Unmarshal([]byte(line), &e))
		key := e.Subject + " " + e.Data.Operation
		if ended[key] {
			ts.Fatalf("the operation has ended, and goes on: %s", line)
		}
		kind := event.Type(strings.TrimPrefix(e.Type, event.CloudEventPrefix))
		if ended[key] = kind.Terminal(); ended[key] {
			ends = append(ends, kind.State())
		}
	}
	if slices.Sort(ends); !slices.Equal(ends, args) {
		ts.Fatalf("ends %q, want %q", ends, args)
	}
}

var findings = map[string]finding.Finding{
	"changed": {
		Kind: finding.Changed, Layer: "cluster", Type: "aws:ec2/securityGroup:SecurityGroup", Name: "nodes", ID: "sg-1",
		Differences: []finding.Difference{{Path: "ingress[0].fromPort", Want: "443", Have: "22"}, {Path: `tags["team"]`, Have: `"red"`}},
	},
	"missing":    {Kind: finding.Missing, Layer: "boundary", Type: "aws:iam/role:Role", Name: "read", ID: "freehold-acme-read"},
	"unreadable": {Kind: finding.Unreadable, Layer: "boundary", Type: "aws:kms/key:Key", Name: "data", Message: "AccessDenied: kms:DescribeKey"},
}

func of(ts *testscript.TestScript) *script { return ts.Value("script").(*script) }

func runFreehold(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	stdin := s.typed
	if s.piped != nil {
		stdin = *s.piped
	}
	for i, arg := range args {
		// Files are named as a user in the script's folder names them.
		args[i] = strings.ReplaceAll(arg, "$WORK", ts.Getenv("WORK"))
	}
	// The command runs in this process, whose folder is another.
	for i, arg := range args {
		if i > 0 && slices.Contains([]string{"-f", "--file", "--spec"}, args[i-1]) && arg != "-" {
			args[i] = ts.MkAbs(arg)
		}
	}
	short := func(w interface{ Write([]byte) (int, error) }) *relative {
		return &relative{w: w, root: ts.Getenv("WORK") + "/"}
	}
	s.status = cli.Run(context.Background(), args, cli.Env{
		Stdin: strings.NewReader(stdin), Stdout: short(ts.Stdout()), Stderr: short(ts.Stderr()),
		Getenv: ts.Getenv, Interactive: s.typed != "",
		Width: func() int { return 120 }, Now: s.world.clock.Now,
		Wire: func(ctx context.Context, o cli.Options) (cli.Services, error) {
			s.options = o
			return s.world.wire(ctx, o)
		},
		Remote: s.world.remote, ServerOrg: serverOrg, Logins: func(cli.Options) cli.Logins { return fakeLogins{s.world} },
		Registry: func(cli.Options) cli.RegistryAdmin { return keeper{s.world} },
		Version:  cli.VersionInfo{Version: "v0.1.0", Commit: "abc1234", Pulumi: func(context.Context) string { return "v3.250.0 (/usr/bin/pulumi)" }},
	})
	s.typed, s.piped = "", nil
	if neg == (s.status == 0) {
		ts.Fatalf("exit status %d", s.status)
	}
}

// relative takes the script's folder out of what is written.
type relative struct {
	w    interface{ Write([]byte) (int, error) }
	root string
}

func (r *relative) Write(p []byte) (int, error) {
	_, err := r.w.Write([]byte(strings.ReplaceAll(string(p), r.root, "")))
	return len(p), err
}
