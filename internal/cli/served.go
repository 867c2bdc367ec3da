package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/forecast"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/spec"
)

// Remote is what a server offers. Its host says for which org: the org that a
// method names is compared with it.
type Remote interface {
	// Org is the org of the server's host; "" on the operators' host.
	Org() string

	OperationLog
	OperationControl
	Auditor

	Caller(ctx context.Context) (event.Caller, error)
	Status(ctx context.Context, org string) (event.Status, error)
	DataPlane(ctx context.Context) (event.DataPlane, error)
	Projects(ctx context.Context, org string) (event.Projects, error)
	ChangeProjects(ctx context.Context, org string, c lifecycle.ProjectChange, call lifecycle.Call, sink event.Sink) (event.Onboarding, error)
	Drift(ctx context.Context, org string, sink event.Sink) (event.Drift, error)
	// DriftReports are those of the latest runs, the newest first.
	DriftReports(ctx context.Context, most int) (event.DriftReports, error)
	Exceptions(ctx context.Context) (event.Exceptions, error)
	EvidenceList(ctx context.Context) (event.EvidenceList, error)
	// Evidence writes a document, and says at the end whether it is what its digest says.
	Evidence(ctx context.Context, name string, w io.Writer) (event.Evidence, error)
	// Plan and Onboard take the document as it is written: the server reads it.
	Plan(ctx context.Context, document []byte, o lifecycle.PlanOptions, sink event.Sink) (event.Plan, error)
	Onboard(ctx context.Context, org string, document []byte, o lifecycle.OnboardOptions, sink event.Sink) (event.Onboarding, error)
	// Orgs and Shared are for the operators' host.
	Orgs(ctx context.Context) ([]event.Status, error)
	Shared(ctx context.Context) ([]finding.Shared, error)
}

// host says which hosts a command works with.
type host int

const (
	// noHost: the command works here only, and refuses a server.
	noHost host = iota
	// anyway: the command does its work here, whatever server is named. What other
	// programs call is among these, since they inherit the environment.
	anyway
	// orgHost: the host of an org, which the command does not take as an argument then.
	orgHost
	// operatorsHost: that of the operators, where an org is named as it is here.
	operatorsHost
	// bothHosts: either.
	bothHosts
)

// conduct says how a command works with a server.
type conduct struct {
	host host
	// org says that the command's first argument is an org.
	org bool
	// more is how many arguments there may be beside the org.
	more int
	// only says that the command needs a server.
	only bool
	// without are flags that need the cloud or the registry of this machine.
	without []string
	// why says for a command that refuses a server what to do instead.
	why string
}

// conducts says for every command how it works with a server. A command that is
// not listed fails a test.
var conducts = map[string]conduct{
	"": {host: anyway}, "help": {host: anyway}, "version": {host: anyway}, "completion": {host: anyway},
	"login": {host: anyway}, "logout": {host: anyway},
	// kubectl and the sandbox's own processes run these.
	"eks-token": {host: anyway}, "sandbox serve-cluster": {host: anyway}, "sandbox token": {host: anyway},

	"get":               {host: bothHosts, only: true},
	"get caller":        {host: orgHost, only: true},
	"get organization":  {host: bothHosts, org: true, only: true},
	"get organizations": {host: operatorsHost, only: true},
	"get dataplane":     {host: orgHost, only: true},
	"get operations":    {host: orgHost, more: 1, only: true},
	"get projects":      {host: orgHost, more: 1, only: true},
	"get drift":         {host: orgHost, only: true},
	"get audit":         {host: bothHosts, only: true},
	"get exceptions":    {host: orgHost, only: true},
	"get evidence":      {host: orgHost, more: 1, only: true},

	"plan":              {host: orgHost, without: []string{"offline", "policy-pack"}},
	"onboard":           {host: bothHosts, without: []string{"policy-pack"}},
	"status":            {host: bothHosts, org: true},
	"projects":          {host: orgHost},
	"projects list":     {host: orgHost, org: true},
	"projects show":     {host: orgHost, org: true, more: 1},
	"projects add":      {host: orgHost, org: true, without: []string{"dry-run"}},
	"projects remove":   {host: orgHost, org: true, more: 1, without: []string{"dry-run"}},
	"operations":        {host: orgHost, org: true},
	"operations list":   {host: orgHost, org: true},
	"operations show":   {host: orgHost, org: true, more: 1},
	"operations events": {host: orgHost, org: true, more: 1},
	"operations wait":   {host: orgHost, org: true, more: 1},
	"operations resume": {host: orgHost, org: true, more: 1},
	"operations cancel": {host: orgHost, org: true, more: 1},
	"audit-log":         {host: bothHosts},
	"audit-log show":    {host: bothHosts, org: true, without: []string{"fleet"}},
	"audit-log verify":  {host: bothHosts, org: true, without: []string{"fleet"}},
	"drift":             {host: orgHost, org: true, without: []string{"all"}},
	"drift run":         {host: orgHost, org: true, without: []string{"all"}},

	"doctor":     {why: "it checks this machine"},
	"kubeconfig": {why: "run it where the registry is: a cluster is not reached through the server"},
	"claims":     {why: "run it where the registry is"},
	"registry":   {why: "it works on a database"},
	"serve":      {why: "it is the server"},
	"audit":      {why: "run it where the registry is; drift run looks for violations too"},
	"offboard":   {why: "run it where the registry is: nobody removes a data plane through the server"},
	"webhooks":   {why: "run it where the registry is"},
	"sandbox":    {why: "it changes the cloud of this machine"},
}

// conductOf is how a command works with a server. Whatever is below a command that
// refuses one refuses it for the same reason.
func conductOf(cmd *cobra.Command) (conduct, bool) {
	if c, ok := conducts[pathOf(cmd)]; ok {
		return c, true
	}
	for above := cmd.Parent(); above != nil; above = above.Parent() {
		if c, ok := conducts[pathOf(above)]; ok {
			return c, c.host == noHost
		}
	}
	return conduct{}, false
}

// pathOf is a command's name below the program's.
func pathOf(cmd *cobra.Command) string {
	return strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()), " ")
}

// serverNamed is the server that was named, "" for none.
func (a *app) serverNamed() string {
	if a.flags.server != "" || a.env.Getenv == nil {
		return a.flags.server
	}
	return a.env.Getenv("FREEHOLD_SERVER")
}

// remotely lets each command below cmd work with a server, or refuse one.
func (a *app) remotely(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		a.remotely(c)
	}
	how, known := conductOf(cmd)
	if !known || how.host == anyway || cmd.RunE == nil {
		return
	}
	if cmd.HasSubCommands() && !how.org {
		return // it shows its help
	}
	args, run, complete := cmd.Args, cmd.RunE, cmd.ValidArgsFunction
	if args == nil {
		args = cobra.ArbitraryArgs // as cobra has it for a command below another
	}
	cmd.Args = func(cmd *cobra.Command, typed []string) error {
		if a.serverNamed() == "" && how.only {
			return usagef(cmd, "%s reads from a server: add --server URL, or set FREEHOLD_SERVER", cmd.CommandPath())
		}
		if a.serverNamed() == "" {
			return args(cmd, typed)
		}
		if err := a.fits(cmd, how, typed); err != nil {
			return err
		}
		return args(cmd, a.withOrg(how, typed))
	}
	cmd.RunE = func(cmd *cobra.Command, typed []string) error {
		if a.serverNamed() == "" {
			return run(cmd, typed)
		}
		return run(cmd, a.withOrg(how, typed))
	}
	if complete != nil {
		cmd.ValidArgsFunction = func(cmd *cobra.Command, typed []string, word string) ([]string, cobra.ShellCompDirective) {
			return complete(cmd, a.withOrg(how, typed), word)
		}
	}
}

// fits refuses what a command cannot do with the server that was named.
func (a *app) fits(cmd *cobra.Command, how conduct, typed []string) error {
	name := pathOf(cmd)
	if how.host == noHost {
		return usagef(cmd, "%s does not work with a server (%s): %s", name, a.serverNamed(), how.why)
	}
	if a.env.Remote == nil {
		return errors.New("this build reaches no server")
	}
	org, err := a.env.ServerOrg(a.serverNamed())
	if err != nil {
		return usagef(cmd, "%v", err)
	}
	switch {
	case org != "" && how.host == operatorsHost:
		return usagef(cmd, "%s reads over all orgs, and %s is the server of %s: use the operators' host, which begins with op.", name, a.serverNamed(), org)
	case org == "" && how.host == orgHost:
		return usagef(cmd, "%s is for one org, and %s is the operators' host: use the host of the org", name, a.serverNamed())
	}
	for _, flag := range append(slices.Clone(how.without), "sandbox", "backend", "registry") {
		if f := cmd.Flags().Lookup(flag); f != nil && f.Changed {
			return usagef(cmd, "%s: --%s works on this machine, and not with a server: leave it out", name, flag)
		}
	}
	if org == "" {
		return nil
	}
	// Whoever types an org believes that it is what decides.
	if len(typed) > how.more || how.more > 0 && how.org && len(typed) > 0 && typed[0] == org && strings.HasPrefix(name, "operations") {
		return usagef(cmd, "%s: unexpected argument %q: the server's host names the org, %s, so no org is given", name, typed[0], org)
	}
	return nil
}

// withOrg adds the org that the server's host names to the arguments that were typed.
func (a *app) withOrg(how conduct, typed []string) []string {
	if a.serverNamed() == "" || !how.org || a.env.ServerOrg == nil {
		return typed
	}
	org, err := a.env.ServerOrg(a.serverNamed())
	if err != nil || org == "" {
		return typed
	}
	return append([]string{org}, typed...)
}

// remote returns the server that was named, which is reached on first use.
func (a *app) remote() (Remote, error) {
	if a.server == nil {
		s, err := a.env.Remote(a.opt)
		if err != nil {
			return nil, err
		}
		a.server = s
	}
	return a.server, nil
}

// ofOrg is what a hint names an org by: nothing where the host does.
func (a *app) ofOrg(org string) string {
	if a.opt.Server != "" {
		return ""
	}
	return " " + org
}

// served lets the commands use a server as they use a registry.
type served struct {
	Remote
	unserved

	url string
	doc func() []byte
}

// mine refuses a document of another org than the server's.
func (s served) mine(doing, org string) error {
	if s.Org() == "" || s.Org() == org {
		return nil
	}
	return &lifecycle.Error{
		Org: org, Doing: doing, Err: fmt.Errorf("%w: the document is that of %s, and %s is the server of %s", lifecycle.ErrInvalid, org, s.url, s.Org()),
		Next: "use the server of the org, or the document of " + s.Org(),
	}
}

func (s served) Plan(ctx context.Context, doc spec.Spec, o lifecycle.PlanOptions, sink event.Sink) (event.Plan, error) {
	if err := s.mine("plan", doc.Org); err != nil {
		return event.Plan{}, err
	}
	return s.Remote.Plan(ctx, s.doc(), o, sink)
}

func (s served) Onboard(ctx context.Context, doc spec.Spec, o lifecycle.OnboardOptions, sink event.Sink) (event.Onboarding, error) {
	if err := s.mine("onboard", doc.Org); err != nil {
		return event.Onboarding{}, err
	}
	return s.Remote.Onboard(ctx, doc.Org, s.doc(), o, sink)
}

// errUnserved is why a use case that no server offers did nothing. No command
// gets as far as that: see conducts.
var errUnserved = errors.New("no server offers this")

// unserved are the use cases that no server offers.
type unserved struct{}

func (unserved) OffboardPlan(context.Context, string, lifecycle.OffboardOptions) (event.Offboarding, error) {
	return event.Offboarding{}, errUnserved
}

func (unserved) Offboard(context.Context, string, lifecycle.OffboardOptions, event.Sink) (event.Offboarding, error) {
	return event.Offboarding{}, errUnserved
}

func (unserved) PlanProjects(context.Context, string, lifecycle.ProjectChange) (event.Plan, error) {
	return event.Plan{}, errUnserved
}
func (unserved) Kubeconfig(context.Context, string) ([]byte, error) { return nil, errUnserved }
func (unserved) Audit(context.Context, lifecycle.AuditOptions) (finding.Audit, error) {
	return finding.Audit{}, errUnserved
}
func (unserved) History(context.Context) (*forecast.Book, error) { return nil, errUnserved }
func (unserved) Claims(context.Context, string) (event.Claims, error) {
	return event.Claims{}, errUnserved
}
func (unserved) ReleaseClaims(context.Context, string, event.Sink) (event.Claims, error) {
	return event.Claims{}, errUnserved
}
func (unserved) Webhooks(context.Context, string) (event.Webhooks, error) {
	return event.Webhooks{}, errUnserved
}
func (unserved) AllWebhooks(context.Context) ([]event.Webhooks, error) { return nil, errUnserved }
func (unserved) AddWebhook(context.Context, string, lifecycle.Webhook) (event.Webhook, []string, error) {
	return event.Webhook{}, nil, errUnserved
}
func (unserved) RemoveWebhook(context.Context, string, string) (event.Webhook, error) {
	return event.Webhook{}, errUnserved
}
func (unserved) EnableWebhook(context.Context, string, string) (event.Webhook, error) {
	return event.Webhook{}, errUnserved
}
func (unserved) DeliverWebhooks(context.Context, []string, bool) ([]event.Deliveries, error) {
	return nil, errUnserved
}
func (unserved) FollowWebhooks(context.Context, []string, func(event.Deliveries)) error {
	return errUnserved
}
func (unserved) DeadLetters(context.Context, string, string) (event.DeadLetters, error) {
	return event.DeadLetters{}, errUnserved
}
func (unserved) ResendWebhooks(context.Context, string, string, []string) (event.DeadLetters, error) {
	return event.DeadLetters{}, errUnserved
}
