package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/render"
)

// policyFlags are the flags of the commands that ask the policies. There is
// none that leaves Freehold's own out.
func (a *app) policyFlags(cmd *cobra.Command, sarif *string) {
	cmd.Flags().StringArrayVar(&a.flags.packs, "policy-pack", nil,
		"also ask the policy pack in this `folder`, of any language that Pulumi's policies know; repeatable (FREEHOLD_POLICY_PACK, by commas)")
	cmd.Flags().StringVar(sarif, "sarif", "", "write what the policies found to this `file`, as SARIF 2.1.0")
	_ = cmd.MarkFlagDirname("policy-pack")
	_ = cmd.MarkFlagFilename("sarif", "sarif", "json")
}

// policyPack returns the absolute path of a folder that holds a policy pack.
func policyPack(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(filepath.Join(abs, "PulumiPolicy.yaml")); errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("no policy pack is there: it has no PulumiPolicy.yaml")
	} else if err != nil {
		return "", err
	}
	return abs, nil
}

// withSARIF writes what the policies found to a file, "" for none, and returns
// how the command ended with what went wrong in that. It is written when
// nothing was found as well: an old file would tell of what is mended. What is
// not known yet is no result.
func withSARIF(ended error, file, org string, found []finding.Policy) error {
	if file == "" {
		return ended
	}
	found = slices.DeleteFunc(slices.Clone(found), finding.Policy.Open)
	if err := writeSARIF(file, org, found); err != nil {
		return errors.Join(ended, err)
	}
	return ended
}

func writeSARIF(file, org string, found []finding.Policy) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("write what the policies found: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return render.SARIF(f, org, found)
}

// tellPolicy writes what the policies do not allow, for people.
func tellPolicy(w io.Writer, found []finding.Policy) {
	if err := render.TextPolicy(w, found); err != nil {
		fmt.Fprintf(w, "freehold: %v\n", err)
	}
}
