package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// ServeOptions say how the control plane is served.
type ServeOptions struct {
	// Config is a file; empty: none.
	Config string
	// Services are those to run in this process; empty: what the configuration says.
	Services []string
	// Serving is called once clients can connect, with what a person should know.
	Serving func(Serving)
}

// Serving says where a server is reached.
type Serving struct {
	Domain     string
	Public     string // address; empty: this process has no gateway
	Operations string // address
	// Issuer is the base URL of the identity providers for trying; empty: none.
	Issuer string
	// Authority is the file of the certificate to trust; empty: a public one.
	Authority string
}

func (a *app) serve() *cobra.Command {
	var o ServeOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve the API to customers, pipelines and operators",
		Long: `Serve runs the control plane: an API over HTTPS for customers' reviewers and
pipelines, each on the host name of its org, and for operators on a host of
their own. A caller proves who it is by a token of its org's identity provider.

A file configures it, and FREEHOLD_SERVE_... variables override the file:
docs/deploy/README.md lists all settings.

With --sandbox everything runs in one process on loopback, and needs no
configuration: hosts below freehold.localhost, a certificate of this machine's
own, and an identity provider for each org that asks for no password.

The first interrupt stops it in order: open streams are told where to resume,
and operations get some time to end. An operation that still runs then is left to
the next start, which continues it.`,
		Example: `  freehold serve --sandbox
  freehold serve --config /etc/freehold/freehold.yaml
  freehold serve --config /etc/freehold/freehold.yaml --services worker`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.wire(cmd)
			if err != nil {
				return err
			}
			if s.Serve == nil {
				return errors.New("this build has no server")
			}
			if o.Config == "" {
				o.Config = a.env.Getenv("FREEHOLD_SERVE_CONFIG")
			}
			o.Serving = func(at Serving) {
				if at.Public == "" {
					fmt.Fprintf(a.env.Stderr, "serving; health and metrics at http://%s\n", at.Operations)
					return
				}
				fmt.Fprintf(a.env.Stderr, "serving *.%s at %s; health and metrics at http://%s\n", at.Domain, at.Public, at.Operations)
				if at.Issuer != "" {
					fmt.Fprintf(a.env.Stderr, "identity providers for trying at %s: anybody can log in as anybody\n", at.Issuer)
				}
				if at.Authority != "" {
					fmt.Fprintf(a.env.Stderr, "clients need the authority in %s\n", at.Authority)
				}
			}
			return s.Serve(cmd.Context(), o)
		},
	}
	cmd.Flags().StringVar(&o.Config, "config", "", "configuration `file`, YAML (FREEHOLD_SERVE_CONFIG)")
	cmd.Flags().StringSliceVar(&o.Services, "services", nil, "run these `services` in this process: gateway, identity, control, worker, drift")
	_ = cmd.MarkFlagFilename("config", "yaml", "yml")
	_ = cmd.RegisterFlagCompletionFunc("services", cobra.FixedCompletions([]string{"gateway", "identity", "control", "worker", "drift"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}
