package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

// eksToken is the credential plugin that a kubeconfig for AWS names. The AWS
// CLI's own, "aws eks get-token", cannot pass the external id that the roles of
// an org's account require. Kubectl runs it at every call, so it opens neither
// the registry nor the engine.
func (a *app) eksToken() *cobra.Command {
	var req TokenRequest
	cmd := &cobra.Command{
		Use:   "eks-token --region REGION --cluster NAME --role-arn ARN",
		Short: "Print an ExecCredential for an EKS cluster",
		Long: `Kubectl runs eks-token to get a token: the kubeconfigs that freehold writes name
it. It assumes the role with the AWS credentials of the environment. It reads
nothing that freehold keeps.`,
		Example: `  freehold eks-token --region eu-central-1 --cluster freehold-acme \
    --role-arn arn:aws:iam::111122223333:role/freehold-acme-bootstrap --external-id freehold-acme-1`,
		Hidden: true,
		Args:   exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for flag, v := range map[string]string{"region": req.Region, "cluster": req.Cluster, "role-arn": req.RoleARN} {
				if v == "" {
					return usagef(cmd, "eks-token: --%s is missing", flag)
				}
			}
			s, err := a.wire(cmd)
			if err != nil {
				return err
			}
			if s.EKSToken == nil {
				return usagef(cmd, "eks-token: sandbox clusters do not run on EKS; omit --sandbox")
			}
			credential, err := s.EKSToken(cmd.Context(), req)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(a.env.Stdout, "%s\n", credential)
			return err
		},
	}
	cmd.Flags().StringVar(&req.Region, "region", "", "the cluster's `region`")
	cmd.Flags().StringVar(&req.Cluster, "cluster", "", "the cluster's `name`")
	cmd.Flags().StringVar(&req.RoleARN, "role-arn", "", "the `role` to assume")
	cmd.Flags().StringVar(&req.ExternalID, "external-id", "", "the external `id` that the role's trust policy requires")
	return cmd
}
