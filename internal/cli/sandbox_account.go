package cli

import (
	"fmt"
	"io"
	"regexp"

	"github.com/spf13/cobra"
)

// What AWS accepts. internal/spec limits an external id's length.
var (
	accountIDPattern  = regexp.MustCompile(`^[0-9]{12}$`)
	roleNamePattern   = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)
	externalIDPattern = regexp.MustCompile(`^[\w+=,.@:/-]{2,}$`)
)

// ownAccount is how a spec reaches an account that a customer brings.
type ownAccount struct {
	Mode       string `json:"mode"`
	RoleARN    string `json:"roleArn"`
	ExternalID string `json:"externalId"`
}

// text writes the account as the lines of a spec that name it.
func (o ownAccount) text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "account:\n  mode: %s\n  roleArn: %s\n  externalId: %q\n", o.Mode, o.RoleARN, o.ExternalID)
	return err
}

func (a *app) sandboxAccount() *cobra.Command {
	var role, externalID string
	cmd := &cobra.Command{
		Use:   "account ID --role NAME --external-id X",
		Short: "Create an account that belongs to a customer, for account.mode: existing",
		Long: `Account creates an AWS account outside the organization, like a customer's own
account, with a role that freehold may assume with the external id. It prints
the lines of a spec that use the account.`,
		Example: `  freehold sandbox account 444455556666 --role freehold-access --external-id acme-7f3a
  freehold onboard --sandbox -f acme.yaml    # where acme.yaml has, instead of account.email:

    account:
      mode: existing
      roleArn: arn:aws:iam::444455556666:role/freehold-access
      externalId: acme-7f3a`,
		Args: exactly("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, v := range []struct {
				what, is, want string
				pattern        *regexp.Regexp
			}{
				{"ID", args[0], "the 12 digits of an account", accountIDPattern},
				{"--role", role, "a role's name, 1 to 64 letters, digits and any of _+=,.@-", roleNamePattern},
				{"--external-id", externalID, "2 or more letters, digits and any of _+=,.@:/-", externalIDPattern},
			} {
				if !v.pattern.MatchString(v.is) {
					return usagef(cmd, "account: %s %q: want %s", v.what, v.is, v.want)
				}
			}
			s, err := a.wireSandbox(cmd)
			if err != nil {
				return err
			}
			if err := s.AdoptAccount(cmd.Context(), args[0], role, externalID); err != nil {
				return err
			}
			own := ownAccount{Mode: "existing", RoleARN: "arn:aws:iam::" + args[0] + ":role/" + role, ExternalID: externalID}
			return a.print(own, own.text)
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "the `name` of the role that freehold assumes")
	cmd.Flags().StringVar(&externalID, "external-id", "", "the external `id` that the role's trust policy requires")
	return cmd
}
