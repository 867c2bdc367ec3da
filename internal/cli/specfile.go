package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"freehold.dev/freehold/internal/spec"
)

// mostRead is more than spec.Parse accepts, so that spec.Parse refuses it.
const mostRead = 2 << 20

// readSpec reads the document that -f names; "-" is standard input.
func (a *app) readSpec(cmd *cobra.Command, file string) (spec.Spec, error) {
	if file == "" {
		return spec.Spec{}, usagef(cmd, "%s: -f FILE is missing", cmd.Name())
	}
	text, name, err := a.readText(cmd, file)
	if err != nil {
		return spec.Spec{}, err
	}
	a.org = statedOrg(text)
	a.doc = document{name, text}
	return spec.Parse(name, bytes.NewReader(text))
}

// readText reads a file, "-" is standard input, and returns its name for messages.
func (a *app) readText(cmd *cobra.Command, file string) (text []byte, name string, err error) {
	name, in := "stdin", a.env.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, "", usagef(cmd, "%v", err)
		}
		defer f.Close()
		name, in = file, f
	}
	text, err = io.ReadAll(io.LimitReader(in, mostRead))
	if _, ok := errors.AsType[*os.PathError](err); ok {
		return nil, "", usagef(cmd, "%v", err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("read %s: %w", name, err)
	}
	return text, name, nil
}

// statedOrg is the org that a document names, even when the rest is invalid;
// empty when it names none. Only the event of a failure uses it.
func statedOrg(text []byte) string {
	var head struct {
		Org string `yaml:"org"`
	}
	if err := yaml.Unmarshal(text, &head); err != nil || !label.MatchString(head.Org) {
		return ""
	}
	return head.Org
}

// label is anything that could name an org.
var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

func fileFlag(cmd *cobra.Command, file *string) {
	cmd.Flags().StringVarP(file, "file", "f", "", "the spec, a YAML `document`; - reads standard input")
	_ = cmd.MarkFlagFilename("file", "yaml", "yml")
}
