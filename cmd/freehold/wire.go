package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/environ"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/kubelive"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/operator"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

// wire returns the services for the cloud that was chosen. It opens the cloud
// only: the registry and the engine are opened by the first use case. dropped
// are the names of Pulumi's settings that nothing gets.
func wire(ctx context.Context, o cli.Options, dropped []string) (cli.Services, error) {
	level := slog.LevelWarn
	if o.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(o.Log, &slog.HandlerOptions{Level: level}))
	if len(dropped) > 0 {
		log.DebugContext(ctx, "settings of the environment that Freehold does not pass on to Pulumi", "names", strings.Join(dropped, " "))
	}

	// Each cloud has a home of its own: a rehearsal never touches a real org.
	home := filepath.Join(o.Home, o.Cloud)
	closers := &closers{}
	services := cli.Services{Close: closers.close}
	var cl servedCloud
	switch o.Cloud {
	case cli.CloudSandbox:
		if err := makeHome(home); err != nil {
			return cli.Services{}, err
		}
		sb, err := openSandbox(ctx, o, home, log)
		if err != nil {
			return cli.Services{}, err
		}
		closers.add(sb.Close)
		cl, services.Sandbox = sb, sandboxCommands{Cloud: sb, home: home, backend: backendURL(o, home)}
	case cli.CloudAWS:
		genuine, err := openAWS(ctx, o)
		if err != nil {
			return cli.Services{}, err
		}
		cl, services.EKSToken = genuine, eksToken(genuine)
	default:
		return cli.Services{}, fmt.Errorf("cloud %q: want %s or %s", o.Cloud, cli.CloudAWS, cli.CloudSandbox)
	}
	services.Doctor = func(ctx context.Context) []event.Check { return doctor(ctx, o, home, cl) }
	services.Serve = func(ctx context.Context, so cli.ServeOptions) error { return serve(ctx, o, home, cl, closers, so) }
	services.Lifecycle = func(ctx context.Context) (cli.Lifecycle, error) {
		return openLifecycle(ctx, o, home, cl, log, closers)
	}
	return services, nil
}

// openLifecycle opens the use cases for the person at the command line.
func openLifecycle(ctx context.Context, o cli.Options, home string, cl servedCloud, log *slog.Logger, closers *closers) (cli.Lifecycle, error) {
	who := operator.Local(o.RequestID)
	return openService(ctx, o, home, cl, log, closers, func(context.Context) orgcontext.Authority { return who })
}

// openService opens the registry and the engine. who says for whom a call acts.
func openService(
	ctx context.Context, o cli.Options, home string, cl servedCloud, log *slog.Logger, closers *closers, who func(context.Context) orgcontext.Authority,
) (*lifecycle.Service, error) {
	if err := makeHome(home); err != nil {
		return nil, err
	}
	reg, err := openRegistry(ctx, o)
	if err != nil {
		return nil, err
	}
	closers.add(reg.Close)
	hooks, err := newHooks(o)
	if err != nil {
		return nil, err
	}
	records := func(ctx context.Context) lifecycle.Records {
		return lifecycle.Records{Registry: reg, Who: who(ctx)}
	}
	over := func(ctx context.Context, st engine.Stack, l engine.Lock) (bool, error) {
		return records(ctx).Over(ctx, st, l)
	}
	held := &operation.Held{}
	dog := &watched{held: held}
	closers.add(dog.close)
	connect := func(ctx context.Context) (map[string]string, error) { return cl.ProviderEnv(ctx, dog.confirm) }
	eng, err := newEngine(o, home, connect, rules{records}, over, dog, log)
	if err != nil {
		return nil, err
	}
	return &lifecycle.Service{
		Hooks:   hooks,
		Records: records(ctx),
		Cloud:   cl, CloudName: o.Cloud, Engine: eng, Objects: kubelive.Clusters{}, Now: time.Now, Log: log, ProbeEvery: probeEvery(o),
		Holding: operation.Options{Store: reg, Now: time.Now, Holder: operation.ThisProcess(), Held: held},
	}, nil
}

// openRecords opens the registry where there is one, and makes none: a machine that
// only looks at documents leaves nothing behind.
func openRecords(ctx context.Context, o cli.Options) (*lifecycle.Records, func() error, error) {
	there, err := recorded(o)
	if err != nil || !there {
		return nil, nil, err
	}
	reg, err := openRegistry(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	return &lifecycle.Records{Registry: reg, Who: operator.Local("")}, reg.Close, nil
}

func makeHome(home string) error {
	if err := os.MkdirAll(home, 0o700); err != nil {
		return fmt.Errorf("make %s: %w", home, err)
	}
	return nil
}

// closers are what was opened, in that order.
type closers []func() error

func (c *closers) add(one func() error) { *c = append(*c, one) }

func (c *closers) close() error {
	var errs []error
	for _, one := range *c {
		errs = append(errs, one())
	}
	return errors.Join(errs...)
}

// servedCloud is a cloud that the engine reaches, too.
type servedCloud interface {
	lifecycle.Cloud

	// ProviderEnv is how the engine reaches the cloud's providers.
	ProviderEnv(ctx context.Context, may cloud.May) (map[string]string, error)
}

// newEngine wires the engine. It starts nothing: most commands need no run.
func newEngine(
	o cli.Options, home string, connect func(context.Context) (map[string]string, error),
	judged rules, over func(context.Context, engine.Stack, engine.Lock) (bool, error), dog *watched, log *slog.Logger,
) (*engine.Engine, error) {
	// The home's own folder only: one that an operator names may be on a file
	// system that is not mounted, and an empty one in its place has no stacks.
	if o.Backend == "" {
		if err := os.MkdirAll(filepath.Join(home, "state"), 0o700); err != nil {
			return nil, fmt.Errorf("make the folder of states: %w", err)
		}
	}
	secrets, err := secretsOf(home, os.Getenv)
	if err != nil {
		return nil, err
	}
	return engine.New(engine.Options{
		CLI:        pulumiIn(home).find,
		Project:    plan.Project,
		BackendURL: backendURL(o, home),
		Dir:        filepath.Join(home, "stacks"),
		Secrets:    secrets,
		Connect:    connect,
		Providers:  providersNeed(o),
		Policies:   policyPacks(o, home, judged),
		// Each org runs one stack at a time, and none waits for another's.
		Parallel: max(o.Parallel, 4),
		Lost:     registry.ErrLost,
		Over:     over,
		Watch:    dog.watch,
		Now:      time.Now,
		Log:      log,
	})
}

// providersNeed is what the cloud's providers need of the environment. Those of
// the sandbox are served from this process, and sign in nowhere.
func providersNeed(o cli.Options) []environ.Need {
	if o.Cloud == cli.CloudSandbox {
		return nil
	}
	return []environ.Need{environ.AWS}
}

// backendURL is where states are kept: in the home, unless --backend names another place.
func backendURL(o cli.Options, home string) string {
	if o.Backend != "" {
		return o.Backend
	}
	return "file://" + filepath.ToSlash(filepath.Join(home, "state"))
}

// secretsOf encrypts states with the operator's key where one is named, and
// else with a generated passphrase for each org. Those are kept in the home, or
// in a folder that machines share: passphrase:///folder.
func secretsOf(home string, getenv func(string) string) (engine.Secrets, error) {
	own := engine.Passphrases{Dir: filepath.Join(home, "secrets")}
	url := getenv("FREEHOLD_SECRETS_PROVIDER")
	dir, shared := strings.CutPrefix(url, "passphrase://")
	switch {
	case url == "":
		return own, nil
	case url == "passphrase":
		return nil, errors.New("FREEHOLD_SECRETS_PROVIDER=passphrase: a passphrase in the environment would be every org's: " +
			"leave the variable out for a generated one for each org, or name the folder that holds them, such as passphrase:///srv/freehold/secrets")
	case shared && !filepath.IsAbs(filepath.FromSlash(dir)):
		return nil, fmt.Errorf("FREEHOLD_SECRETS_PROVIDER=%s: want an absolute folder, such as passphrase:///srv/freehold/secrets", url)
	case shared:
		return engine.Passphrases{Dir: filepath.FromSlash(dir), Shared: true}, nil
	default:
		return engine.CloudKey{URL: url, Before: own}, nil
	}
}

// probeEvery is the pause between two probes of a new account. The sandbox's
// accounts are ready at once, unless latency is asked for.
func probeEvery(o cli.Options) time.Duration {
	if o.Cloud == cli.CloudSandbox {
		return 200 * time.Millisecond
	}
	return 0
}
