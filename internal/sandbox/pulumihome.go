package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// noLogs stands where the Pulumi CLI would make a folder for its logs.
const noLogs = `The Pulumi CLI logs every step of every command, encrypted, in a folder of this name: 500 MB of the customers'
properties, at two fifths of the processor time that it uses. This file keeps it from that. Remove it for the logs.
`

// pulumiHome makes a folder for what the Pulumi CLI keeps of its own, and says by
// which variables it finds it: a rehearsal leaves nothing in the user's. Plugins
// and sign-ins stay those of the user.
func pulumiHome(dir string) (map[string]string, error) {
	users, err := workspace.GetPulumiHomeDir()
	if err != nil {
		return nil, fmt.Errorf("find Pulumi's home: %w", err)
	}
	home := filepath.Join(dir, "pulumi")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return nil, fmt.Errorf("make a home for Pulumi: %w", err)
	}
	logs := filepath.Join(home, "logs")
	if _, err := os.Lstat(logs); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(logs, []byte(noLogs), 0o600); err != nil {
			return nil, fmt.Errorf("make a home for Pulumi: %w", err)
		}
	}
	if err := os.Symlink(filepath.Join(users, "plugins"), filepath.Join(home, "plugins")); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make a home for Pulumi: %w", err)
	}
	env := map[string]string{"PULUMI_HOME": home}
	if os.Getenv("PULUMI_CREDENTIALS_PATH") == "" {
		env["PULUMI_CREDENTIALS_PATH"] = users
	}
	return env, nil
}
