package cli

import (
	"context"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
)

// Env is everything that the command line knows about its process.
type Env struct {
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Getenv func(string) string
	// Terminal is true when Stderr is a terminal: progress is drawn, not listed.
	Terminal bool
	// Interactive is true when Stdin is a terminal: questions can be asked.
	Interactive bool
	// Width returns the terminal's current width in columns.
	Width func() int
	Now   func() time.Time
	// Wire returns the services, and opens as little as it can. It is called at
	// most once in a Run, and not at all by commands that need none.
	Wire func(context.Context, Options) (Services, error)
	// Records opens the registry to read it, without a cloud; nil, also as what it
	// returns: there is none.
	Records func(context.Context, Options) (records *lifecycle.Records, closeIt func() error, err error)
	// Remote reaches the server that the options name. It sends nothing yet.
	Remote func(Options) (Remote, error)
	// ServerOrg is the org that the URL of a server names, "" for the operators', or
	// what is wrong with the URL.
	ServerOrg func(url string) (string, error)
	// Logins log somebody in to servers.
	Logins func(Options) Logins
	// Registry opens the registry as a whole when one of its methods is called.
	Registry func(Options) RegistryAdmin
	Version  VersionInfo
}

// Cloud names.
const (
	CloudAWS     = "aws"
	CloudSandbox = "sandbox"
)

// Options are the global choices of one invocation, from flags and from
// FREEHOLD_* variables; a flag wins.
type Options struct {
	Home     string // absolute; everything that Freehold keeps on this machine
	Cloud    string // CloudAWS or CloudSandbox
	Backend  string // Pulumi state; empty: under Home
	Registry string // empty: under Home
	// Server is the URL of the server that is used in place of the registry and the
	// cloud; empty: none. ServerCA is a file of authorities for it.
	Server   string
	ServerCA string
	Verbose  bool
	// RequestID is what the caller knows the command by; empty: by nothing.
	RequestID string
	// Parallel is how many orgs run at the same time; 0: one.
	Parallel int
	// WebhookHosts may have any address, and be reached without TLS.
	WebhookHosts []string
	// PolicyPacks are the operator's own policy packs: folders, absolute.
	PolicyPacks []string
	// Log takes what the services log. It is not Stderr itself, where
	// progress may be drawn at the same time.
	Log io.Writer
	// The rest is for the sandbox only.
	SandboxDir string   // absolute; empty: under Home
	Latency    string   // "", "realistic", "realistic/60"
	Faults     []string // "eks:CreateCluster=timeout:2"
	Quotas     []string // "accounts=3"
}

// Services are what the commands call. Sandbox is nil on AWS, EKSToken in the
// sandbox. Only Lifecycle needs the registry and the engine, so that nothing
// else waits for them or fails with them: kubectl runs eks-token at every call.
type Services struct {
	// Lifecycle opens the registry and the engine. It is called at most once in
	// a Run, and only by commands that run a use case.
	Lifecycle func(context.Context) (Lifecycle, error)
	Sandbox   Sandbox
	// EKSToken returns an ExecCredential for an EKS cluster.
	EKSToken func(context.Context, TokenRequest) ([]byte, error)
	Doctor   func(context.Context) []event.Check
	// Serve runs the control plane until ctx ends. An invalid configuration wraps
	// lifecycle.ErrInvalid.
	Serve func(context.Context, ServeOptions) error
	// Close releases everything; nil: nothing to release.
	Close func() error
}

// VersionInfo is what this binary is.
type VersionInfo struct {
	Version string
	Commit  string
	// Pulumi looks for the Pulumi CLI that would be used and returns its
	// version and its path, or "" when there is none; nil: not known.
	Pulumi func(context.Context) string
}

// OS returns the Env of this process; Wire and Version are main's to fill.
func OS() Env {
	return Env{
		Stdin:       os.Stdin,
		Stdout:      os.Stdout,
		Stderr:      os.Stderr,
		Getenv:      os.Getenv,
		Terminal:    term.IsTerminal(int(os.Stderr.Fd())) && os.Getenv("TERM") != "dumb",
		Interactive: term.IsTerminal(int(os.Stdin.Fd())),
		Width: func() int {
			w, _, err := term.GetSize(int(os.Stderr.Fd()))
			if err != nil || w <= 0 {
				// Not a terminal: a file or a pipeline's log does not wrap.
				return 160
			}
			return w
		},
		Now: time.Now,
	}
}
