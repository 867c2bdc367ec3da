package cli

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/home"
	"freehold.dev/freehold/internal/lifecycle"
)

// output is how results are written.
type output string

// The output formats.
const (
	asText   output = "text"
	asJSON   output = "json"
	asNDJSON output = "ndjson"
)

// globalFlags are the flags of every command, as typed.
type globalFlags struct {
	sandbox  bool
	home     string
	backend  string
	registry string
	server   string
	serverCA string
	output   string
	verbose  bool
	// requestID belongs to the commands that begin an operation.
	requestID string
	// sandboxDir and what follows are for the sandbox only.
	sandboxDir string
	latency    string
	faults     []string
	quotas     []string
	// webhookHosts belong to the commands about webhooks.
	webhookHosts []string
	// packs belong to the commands that run the policies.
	packs []string
}

func (f *globalFlags) add(cmd *cobra.Command) {
	p := cmd.PersistentFlags()
	p.BoolVar(&f.sandbox, "sandbox", false, "use the embedded sandbox cloud, not AWS (FREEHOLD_CLOUD=sandbox)")
	p.StringVar(&f.home, "home", "", "`folder` for everything that freehold keeps on this machine (FREEHOLD_HOME)")
	p.StringVar(&f.backend, "backend", "", "`URL` of the Pulumi state: file://, s3://, gs://, azblob://, https:// (FREEHOLD_BACKEND)")
	p.StringVar(&f.registry, "registry", "", "`location` of the registry of orgs and operations: a file, or postgres:// (FREEHOLD_REGISTRY)")
	p.StringVar(&f.server, "server", "", "`URL` of a Freehold server to use, in place of the registry and the cloud: the host names the org (FREEHOLD_SERVER)")
	p.StringVar(&f.serverCA, "server-ca", "", "`file` of further authorities, PEM, that the server's certificate may be of (FREEHOLD_SERVER_CA)")
	p.StringVarP(&f.output, "output", "o", "", "`format`: text, json or ndjson (FREEHOLD_OUTPUT)")
	p.BoolVarP(&f.verbose, "verbose", "v", false, "print more: each resource, debug logs, every cause of an error (FREEHOLD_VERBOSE)")
	p.StringVar(&f.sandboxDir, "sandbox-dir", "", "sandbox: `folder` of the cloud, which several homes may share (FREEHOLD_SANDBOX_DIR)")
	p.StringVar(&f.latency, "latency", "", "sandbox: latency `profile` of calls, such as realistic or realistic/60 (FREEHOLD_LATENCY)")
	p.StringArrayVar(&f.faults, "fault", nil, "sandbox: inject a `fault`, service:Action=error|timeout|throttle|lost[:count]; repeatable (FREEHOLD_FAULT, comma-separated)")
	p.StringArrayVar(&f.quotas, "quota", nil, "sandbox: set a `quota`, name=number; repeatable (FREEHOLD_QUOTA, comma-separated)")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json", "ndjson"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("latency", cobra.FixedCompletions([]string{"realistic", "realistic/60"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.MarkPersistentFlagFilename("server-ca", "pem", "crt")
	_ = cmd.MarkPersistentFlagDirname("home")
	_ = cmd.MarkPersistentFlagDirname("sandbox-dir")
}

// requestFlag lets a command be known by an id.
func (a *app) requestFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.flags.requestID, "request-id", "",
		"what the caller knows this request by: the same `ID` again is the same operation, with the same result")
}

// options completes what was typed with the environment and the defaults.
func (a *app) options(cmd *cobra.Command) error {
	f, getenv := a.flags, a.env.Getenv
	or := func(typed, name string) string {
		if typed != "" {
			return typed
		}
		return getenv(name)
	}
	list := func(typed []string, name string) []string {
		if len(typed) > 0 || getenv(name) == "" {
			return typed
		}
		return strings.Split(getenv(name), ",")
	}

	a.output = output(or(f.output, "FREEHOLD_OUTPUT"))
	switch a.output {
	case "":
		a.output = asText
	case asText, asJSON, asNDJSON:
	default:
		bad := a.output
		a.output = asText
		return usagef(cmd, "output %q: want text, json or ndjson", string(bad))
	}

	a.opt = Options{
		Home:       or(f.home, "FREEHOLD_HOME"),
		Cloud:      CloudAWS,
		Backend:    or(f.backend, "FREEHOLD_BACKEND"),
		Registry:   or(f.registry, "FREEHOLD_REGISTRY"),
		Server:     a.serverNamed(),
		ServerCA:   or(f.serverCA, "FREEHOLD_SERVER_CA"),
		Verbose:    f.verbose || (getenv("FREEHOLD_VERBOSE") != "" && getenv("FREEHOLD_VERBOSE") != "0"),
		RequestID:  f.requestID,
		Log:        a.log,
		SandboxDir: or(f.sandboxDir, "FREEHOLD_SANDBOX_DIR"),
		Latency:    or(f.latency, "FREEHOLD_LATENCY"),
		Faults:     list(f.faults, "FREEHOLD_FAULT"),
		Quotas:     list(f.quotas, "FREEHOLD_QUOTA"),
	}
	if f.requestID != "" && !lifecycle.ValidRequestID(f.requestID) {
		return usagef(cmd, "--request-id %q: want 1 to 128 printable characters of ASCII, without a space", f.requestID)
	}
	if scheme, _, ok := strings.Cut(a.opt.Registry, "://"); ok && !slices.Contains([]string{"sqlite", "postgres", "postgresql"}, scheme) {
		return usagef(cmd, "--registry: %s:// is not known: want a file, or a URL that begins with postgres://", scheme)
	}
	a.opt.WebhookHosts = list(f.webhookHosts, "FREEHOLD_WEBHOOK_HOSTS")
	for _, dir := range list(f.packs, "FREEHOLD_POLICY_PACK") {
		abs, err := policyPack(dir)
		if err != nil {
			return usagef(cmd, "--policy-pack %s: %v", dir, err)
		}
		a.opt.PolicyPacks = append(a.opt.PolicyPacks, abs)
	}
	switch named := getenv("FREEHOLD_CLOUD"); {
	case f.sandbox, isSandboxCommand(cmd):
		a.opt.Cloud = CloudSandbox
	case named == "", named == CloudAWS:
	case named == CloudSandbox:
		a.opt.Cloud = CloudSandbox
	default:
		return usagef(cmd, "FREEHOLD_CLOUD=%s: want aws or sandbox", named)
	}
	if a.opt.Cloud != CloudSandbox {
		for name, set := range map[string]bool{"sandbox-dir": a.opt.SandboxDir != "", "latency": a.opt.Latency != "", "fault": len(a.opt.Faults) > 0, "quota": len(a.opt.Quotas) > 0} {
			if set {
				return usagef(cmd, "--%s works in the sandbox only; add --sandbox", name)
			}
		}
	}
	if a.opt.SandboxDir != "" {
		dir, err := filepath.Abs(a.opt.SandboxDir)
		if err != nil {
			return fmt.Errorf("sandbox folder %s: %w", a.opt.SandboxDir, err)
		}
		a.opt.SandboxDir = dir
	}
	if a.opt.Home == "" {
		a.opt.Home = defaultHome(getenv, runtime.GOOS)
	}
	if a.opt.Home == "" {
		return nil // commands that need one refuse
	}
	abs, err := filepath.Abs(a.opt.Home)
	if err != nil {
		return fmt.Errorf("home %s: %w", a.opt.Home, err)
	}
	a.opt.Home = abs
	if cmd.Name() == "doctor" || cmd.Name() == "version" {
		return nil // the one says it in its own way, the other uses no home
	}
	return a.homeIsOurs()
}

// homeIsOurs is an error unless this user alone can change the home, and the folder
// of a sandbox that is not in it.
func (a *app) homeIsOurs() error {
	for what, dir := range map[string]string{"home": a.opt.Home, "sandbox folder": a.opt.SandboxDir} {
		if dir == "" {
			continue
		}
		// A pod's files are its own, and its volumes are open to all who are in it.
		check := home.Check
		if a.env.Getenv("KUBERNETES_SERVICE_HOST") != "" {
			check = home.CheckBelow
		}
		if err := check(dir); err != nil {
			return fmt.Errorf("the %s cannot be trusted: %w", what, err)
		}
	}
	return nil
}

// defaultHome is the folder in the user's data directory; "" when there is none.
func defaultHome(getenv func(string) string, goos string) string {
	if data := getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "freehold")
	}
	user := getenv("HOME")
	if user == "" {
		return ""
	}
	if goos == "darwin" {
		return filepath.Join(user, "Library", "Application Support", "freehold")
	}
	return filepath.Join(user, ".local", "share", "freehold")
}
