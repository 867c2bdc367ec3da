package cli

import (
	"github.com/spf13/cobra"
)

func (a *app) completion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print the completion script for a shell",
		Example: `  source <(freehold completion bash)
  freehold completion zsh > "${fpath[1]}/_freehold"
  freehold completion fish > ~/.config/fish/completions/freehold.fish`,
		ValidArgs: []string{"bash", "zsh", "fish"},
		Args:      exactly("bash, zsh or fish"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch w := a.env.Stdout; args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(w, true)
			case "zsh":
				return cmd.Root().GenZshCompletion(w)
			case "fish":
				return cmd.Root().GenFishCompletion(w, true)
			default:
				return usagef(cmd, "completion: unsupported shell %q; want bash, zsh or fish", args[0])
			}
		},
	}
}
