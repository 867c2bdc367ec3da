package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/render"
)

// Logins log somebody in to servers.
type Logins interface {
	Login(ctx context.Context, r LoginRequest) (event.Login, error)
	// Logout reports whether there was a login.
	Logout(ctx context.Context, server string) (bool, error)
}

// LoginRequest says where and how to log in.
type LoginRequest struct {
	Server string
	// Issuer and ClientID are empty where the server says them.
	Issuer, ClientID string
	// Browser says that a browser of this machine may be used, if there is one.
	Browser bool
	// Visit shows the page to visit; with a code, that the page must show it.
	Visit func(url, code string)
}

func (a *app) login() *cobra.Command {
	var issuer, client string
	var device bool
	cmd := &cobra.Command{
		Use:   "login [URL]",
		Short: "Log in to a Freehold server with the org's own identity provider",
		Long: `Login logs you in to the server of an org: its host name begins with the org. The
org's own identity provider asks who you are; Freehold never sees a password.

On a terminal with a browser, the browser is used. Otherwise, and with --device, a
link and a code are printed, which work in a browser on any other device.

The token is kept in the keyring of the operating system, or in a file that only
you can read where there is no keyring. It is renewed before it ends if the
identity provider allows that, and it is sent to that one server only. In a
pipeline no login is needed: FREEHOLD_TOKEN, or a file that FREEHOLD_TOKEN_FILE
names, holds the token.

Without URL it is the server of --server or FREEHOLD_SERVER.`,
		Example: `  freehold login https://acme.freehold.example.com
  freehold login https://acme.freehold.example.com --device
  freehold login https://acme.freehold.example.com --issuer https://login.acme.example`,
		Args: between(0, "URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, l, err := a.logins(cmd, args)
			if err != nil {
				return err
			}
			r := LoginRequest{Server: server, Issuer: issuer, ClientID: client, Browser: a.env.Interactive && !device, Visit: a.visit}
			got, err := l.Login(cmd.Context(), r)
			if err != nil {
				return &lifecycle.Error{Doing: "login to " + server, Err: err, Next: loginNext(err)}
			}
			return a.print(got, func(w io.Writer) error { return render.TextLogin(w, got) })
		},
	}
	cmd.Flags().StringVar(&issuer, "issuer", "", "the `URL` of the identity provider, if the server does not say it")
	cmd.Flags().StringVar(&client, "client-id", "", "the `ID` by which the identity provider knows this command line; default: the server's host name")
	cmd.Flags().BoolVar(&device, "device", false, "print a link and a code for another device, instead of using a browser")
	return cmd
}

// ErrNoIssuer is wrapped when nothing says where an org logs in.
var ErrNoIssuer = errors.New("the issuer of the org's logins is unknown")

func loginNext(err error) string {
	if errors.Is(err, ErrNoIssuer) {
		return "add --issuer URL with the org's identity provider; it is remembered"
	}
	return ""
}

func (a *app) visit(url, code string) {
	if code == "" {
		fmt.Fprintf(a.env.Stderr, "log in with your browser; if it does not open, visit:\n  %s\n", url)
		return
	}
	fmt.Fprintf(a.env.Stderr, "visit this page on any device, and check that it shows the code %s:\n  %s\n", code, url)
}

func (a *app) logout() *cobra.Command {
	return &cobra.Command{
		Use:   "logout [URL]",
		Short: "Remove the login to a server from this machine",
		Long: `Logout removes what login kept, and asks the identity provider to end the login
too where it offers that.

Without URL it is the server of --server or FREEHOLD_SERVER.`,
		Example: `  freehold logout https://acme.freehold.example.com`,
		Args:    between(0, "URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			server, l, err := a.logins(cmd, args)
			if err != nil {
				return err
			}
			was, err := l.Logout(cmd.Context(), server)
			if err != nil {
				return err
			}
			text := "logged out of " + server
			if !was {
				text = "there was no login to " + server
			}
			_, err = fmt.Fprintln(a.env.Stderr, text)
			return err
		},
	}
}

// logins returns the server that is meant, and what logs in there.
func (a *app) logins(cmd *cobra.Command, args []string) (string, Logins, error) {
	server := a.serverNamed()
	if len(args) > 0 {
		server = args[0]
	}
	if server == "" {
		return "", nil, usagef(cmd, "%s: URL is missing", cmd.Name())
	}
	if a.env.Logins == nil {
		return "", nil, errors.New("this build reaches no server")
	}
	if _, err := a.env.ServerOrg(server); err != nil {
		return "", nil, usagef(cmd, "%v", err)
	}
	if a.opt.Home == "" {
		return "", nil, noHome(cmd)
	}
	return server, a.env.Logins(a.opt), nil
}
