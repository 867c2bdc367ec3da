package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/server"
	"freehold.dev/freehold/internal/server/config"
	"freehold.dev/freehold/internal/server/route"
	"freehold.dev/freehold/internal/server/rpc"
	"freehold.dev/freehold/internal/server/tracing"
	"freehold.dev/freehold/internal/server/trialtls"
	"freehold.dev/freehold/internal/server/tryissuer"
	"freehold.dev/freehold/internal/webhook"
)

// networked is a cloud whose clusters have issuers that only it reaches.
type networked interface {
	// Issuers reaches those of the cloud's own clusters, and all others by next.
	Issuers(next http.RoundTripper) http.RoundTripper
}

// internet is how the keys of identity providers are fetched. Orgs choose their
// providers, so only public addresses are reached, and those of hosts that the
// configuration names.
func internet(c config.Config, cl servedCloud, authority string) (http.RoundTripper, error) {
	hosts := c.IssuerHosts
	var roots *x509.CertPool
	if authority != "" {
		u, err := url.Parse(c.TrialIssuer)
		if err != nil {
			return nil, err
		}
		hosts = append(slices.Clone(hosts), u.Host)
		if roots, err = x509.SystemCertPool(); err != nil {
			return nil, fmt.Errorf("the system's certificates: %w", err)
		}
		text, err := os.ReadFile(authority)
		if err != nil {
			return nil, fmt.Errorf("the trial's certificate: %w", err)
		}
		roots.AppendCertsFromPEM(text)
	}
	allowed, err := webhook.ParseHosts(hosts)
	if err != nil {
		return nil, &lifecycle.Error{Err: fmt.Errorf("%w: issuerHosts: %w", lifecycle.ErrInvalid, err)}
	}
	public := webhook.ClientOptions{Allowed: allowed, Roots: roots}.Transport()
	if n, ok := cl.(networked); ok {
		return n.Issuers(public), nil
	}
	return public, nil
}

// serve runs the control plane over a cloud until ctx ends.
func serve(ctx context.Context, o cli.Options, home string, cl servedCloud, closers *closers, so cli.ServeOptions) error {
	dir := filepath.Join(home, serveFolder)
	var base config.Config
	trial := o.Cloud == cli.CloudSandbox
	if trial {
		base = config.Trial(dir)
	}
	settings := environment(os.Environ())
	if len(so.Services) > 0 {
		settings[config.Prefix+"SERVICES"] = strings.Join(so.Services, ",")
	}
	c, err := config.Load(base, so.Config, settings)
	if err != nil {
		return &lifecycle.Error{Err: fmt.Errorf("%w: %w", lifecycle.ErrInvalid, err), Next: "docs/deploy/README.md lists all settings"}
	}
	if trial {
		c = c.Tried()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("folder of the server: %w", err)
	}
	level := slog.LevelInfo
	if o.Verbose {
		level = slog.LevelDebug
	}
	// A line for each request, for machines.
	log := slog.New(slog.NewJSONHandler(o.Log, &slog.HandlerOptions{Level: level}))
	traces, err := tracing.Setup(ctx, "freehold", os.Getenv)
	if err != nil {
		return err
	}
	closers.add(func() error { return traces.Shutdown(context.WithoutCancel(ctx)) })
	options := server.Options{Config: c, Dir: dir, Now: time.Now, Log: log, Tracing: traces}
	// A gateway by itself reaches no records, and has no credentials for them.
	if !slices.Equal(c.Services, []string{string(route.Gateway)}) {
		o.Parallel = c.Limits.Operations
		service, err := openService(ctx, o, home, cl, log, closers, caller)
		if err != nil {
			return err
		}
		options.Registry = service.Registry
		options.As = func(who orgcontext.Authority) rpc.UseCases { return service.As(who) }
	}
	at := cli.Serving{Domain: c.Domain}
	if trial {
		if err := trialtls.Files(dir, c.Domain, time.Now()); err != nil {
			return err
		}
		at.Authority = filepath.Join(dir, trialtls.Authority)
	}
	if trial && c.Runs(route.Gateway) {
		issuers := tryissuer.Options{Dir: filepath.Join(dir, issuerFolder), BaseURL: c.TrialIssuer, APIBase: c.Domain, Now: time.Now, Log: log}
		if options.Trial, err = tryissuer.New(issuers); err != nil {
			return err
		}
		at.Issuer = issuers.BaseURL
	}
	if options.Internet, err = internet(c, cl, at.Authority); err != nil {
		return err
	}
	options.Listening = func(a server.Addresses) {
		at.Public, at.Operations = a.Public, a.Operations
		if so.Serving != nil {
			so.Serving(at)
		}
	}
	return server.Run(ctx, options)
}

// caller is for whom a request acts: nobody, where none has been verified.
func caller(ctx context.Context) orgcontext.Authority {
	v, _ := delegation.From(ctx)
	return v
}

func environment(list []string) map[string]string {
	out := map[string]string{}
	for _, entry := range list {
		if name, value, ok := strings.Cut(entry, "="); ok && strings.HasPrefix(name, config.Prefix) && name != config.Prefix+"CONFIG" {
			out[name] = value
		}
	}
	return out
}
