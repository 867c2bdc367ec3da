package cli

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
)

type versionResult struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	Pulumi  string `json:"pulumi,omitempty"`
}

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of freehold, Go and the Pulumi CLI",
		Example: `  freehold version
  freehold version -o json`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			info := a.env.Version
			v := versionResult{Version: info.Version, Commit: info.Commit, Go: runtime.Version()}
			if v.Version == "" {
				v.Version = "dev"
			}
			if info.Pulumi != nil {
				v.Pulumi = info.Pulumi(cmd.Context())
			}
			return a.print(v, func(w io.Writer) error {
				commit, pulumi := v.Commit, v.Pulumi
				if commit != "" {
					commit = " (" + commit + ")"
				}
				if pulumi == "" {
					pulumi = "not found; freehold doctor says how to install it"
				}
				_, err := fmt.Fprintf(w, "freehold %s%s\ngo       %s\npulumi   %s\n", v.Version, commit, v.Go, pulumi)
				return err
			})
		},
	}
}
