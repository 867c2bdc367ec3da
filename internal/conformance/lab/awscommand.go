package lab

import (
	"bytes"
	"context"
	_ "embed" // the aws command's server and its client
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"freehold.dev/freehold/internal/wait"
)

//go:embed awsserver.py
var awsServer string

//go:embed awsclient.py
var awsClient string

// serveAWSCommand returns a folder with an aws command that costs a fifth of what
// the machine's does: the same code, loaded once. The folder is empty where the
// machine's is not written in Python, and then the machine's is used.
func (l *Lab) serveAWSCommand() (string, error) {
	aws, err := exec.LookPath("aws")
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(aws)
	if err != nil {
		return "", err
	}
	dir := l.Dir("aws")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	python, is := strings.CutPrefix(string(first), "#!")
	if !is || !strings.HasPrefix(filepath.Base(python), "python") || strings.Contains(python, " ") {
		return dir, nil
	}
	client := "#!" + python + " -IS\n" + awsClient
	if err := os.WriteFile(filepath.Join(dir, "aws"), []byte(client), 0o700); err != nil { //nolint:gosec // it is run
		return "", err
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, python, "-c", awsServer, filepath.Join(dir, "socket"))
	cmd.Env = l.OwnerEnv(ManagementAccount)
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		cancel()
		return "", err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // it is ended by the test
	}()
	l.t.Cleanup(func() { cancel(); <-ended })
	return dir, wait.Until(ctx, wait.For{
		What: "the aws command's server", Every: 20 * time.Millisecond, Within: time.Minute, Now: time.Now,
	}, func(context.Context) (bool, error) {
		select {
		case <-ended:
			return false, fmt.Errorf("it ended: %s", said.String())
		default:
		}
		_, err := os.Stat(filepath.Join(dir, "socket"))
		return err == nil, nil
	})
}
