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

// policyFlags are the flags of the commands that run the policies. None of them
// leaves Freehold's own out.
func (a *app) policyFlags(cmd *cobra.Command, sarif *string) {
	cmd.Flags().StringArrayVar(&a.flags.packs, "policy-pack", nil,
		"also run the Pulumi policy pack in this `folder`; repeatable (FREEHOLD_POLICY_PACK, comma-separated)")
	cmd.Flags().StringVar(sarif, "sarif", "", "also write the policies' findings to this `file`, as SARIF 2.1.0")
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
		return "", errors.New("not a policy pack: PulumiPolicy.yaml is missing")
	} else if err != nil {
		return "", err
	}
	return abs, nil
}

// withSARIF writes what the policies found to a file, "" for none, and returns
// how the command ended, with what went wrong in writing. It also writes when
// nothing was found: an old file would report what has been fixed. What is still
// undecided is left out.
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
		return fmt.Errorf("write the policies' findings: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return render.SARIF(f, org, found)
}

// printPolicy writes the policies' findings for people.
func printPolicy(w io.Writer, found []finding.Policy) {
	if err := render.TextPolicy(w, found); err != nil {
		fmt.Fprintf(w, "freehold: %v\n", err)
	}
}
