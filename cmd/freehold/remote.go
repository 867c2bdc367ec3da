package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/cli/browser"

	"freehold.dev/freehold/internal/cli"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/remote"
	"freehold.dev/freehold/internal/remote/dial"
	"freehold.dev/freehold/internal/remote/session"
	"freehold.dev/freehold/internal/server/trialtls"
)

// serveFolder is where "freehold serve --sandbox" keeps its certificates and the
// keys of its identity providers, below the sandbox's home.
const serveFolder = "serve"

// issuerFolder is the part of it that belongs to the identity providers.
const issuerFolder = "issuers"

// serverOrg is the org that the URL of a server names.
func serverOrg(raw string) (string, error) {
	s, err := dial.Parse(raw)
	return s.Org(), err
}

// sessionsOf are the logins that are kept on this machine.
func sessionsOf(o cli.Options) *session.Sessions {
	trust := trustOf(o)
	return &session.Sessions{
		Home: o.Home, Getenv: os.Getenv, Now: time.Now, Client: func(host string) (*http.Client, error) { return trust.Client(host) },
		Warn: func(text string) { fmt.Fprintf(o.Log, "freehold: %s\n", text) },
	}
}

// trustOf believes the sandbox's own authority for names on this machine.
func trustOf(o cli.Options) dial.Trust {
	t := dial.Trust{CA: o.ServerCA}
	if o.Home != "" {
		t.Trial = filepath.Join(o.Home, cli.CloudSandbox, serveFolder, trialtls.Authority)
	}
	return t
}

// openRemote makes a client of the server that the options name.
func openRemote(o cli.Options) (cli.Remote, error) {
	server, err := dial.Parse(o.Server)
	if err != nil {
		return nil, err
	}
	client, err := trustOf(o).Client(server.Name())
	if err != nil {
		return nil, err
	}
	s := sessionsOf(o)
	return remote.New(remote.Options{
		Server: server, HTTP: client, Now: time.Now, Renewable: !s.Environment(),
		Token:  func(ctx context.Context) (string, error) { return s.Token(ctx, server) },
		Notice: func(text string) { fmt.Fprintf(o.Log, "freehold: %s\n", text) },
	}), nil
}

// logins log somebody in for the command line.
type logins struct{ sessions *session.Sessions }

func openLogins(o cli.Options) cli.Logins { return logins{sessionsOf(o)} }

func (l logins) Login(ctx context.Context, r cli.LoginRequest) (event.Login, error) {
	server, err := dial.Parse(r.Server)
	if err != nil {
		return event.Login{}, err
	}
	asked := session.Request{Server: server, Issuer: r.Issuer, ClientID: r.ClientID, Visit: r.Visit}
	if r.Browser && hasBrowser(os.Getenv, runtime.GOOS) {
		asked.Open = openBrowser
	}
	got, err := l.sessions.Login(ctx, asked)
	if errors.Is(err, session.ErrNoIssuer) {
		err = issuerUnknown{err}
	}
	return event.Login{Server: got.Server, Issuer: got.Issuer, Expires: got.Expiry, Renews: got.Renews}, err
}

// issuerUnknown is an error of session that the command line knows.
type issuerUnknown struct{ error }

func (issuerUnknown) Is(target error) bool { return target == cli.ErrNoIssuer }

func (l logins) Logout(ctx context.Context, raw string) (bool, error) {
	server, err := dial.Parse(raw)
	if err != nil {
		return false, err
	}
	return l.sessions.Logout(ctx, server)
}

// hasBrowser reports whether a browser on this machine would be seen by whoever
// typed the command: not from afar, and not without a screen.
func hasBrowser(getenv func(string) string, goos string) bool {
	if getenv("SSH_CONNECTION") != "" {
		return false
	}
	return goos != "linux" || getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != ""
}

// openBrowser opens a page. What the browser writes is not the command's result.
func openBrowser(url string) error {
	browser.Stdout, browser.Stderr = os.Stderr, os.Stderr
	return browser.OpenURL(url)
}
