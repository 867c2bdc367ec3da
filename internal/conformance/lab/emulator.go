package lab

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/localhost"
	"freehold.dev/freehold/internal/wait"
)

// emulator starts the emulator for as long as the test, or takes the one that
// runs, and returns its address.
func emulator(t testing.TB, clusters string) string {
	t.Helper()
	if at := os.Getenv(endpoint); at != "" {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatalf("lab: %s: %v", endpoint, err)
		}
		return u.Host
	}
	command := strings.Fields(os.Getenv(emulatorCommand))
	if len(command) == 0 {
		t.Skipf("NOT TESTED against an AWS emulator: neither %s nor %s says where one is", emulatorCommand, endpoint)
	}
	address, err := localhost.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)

	said, err := os.Create(filepath.Join(t.TempDir(), "emulator.log"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], "-H", "127.0.0.1", "-p", port)...)
	cmd.Env = append(os.Environ(), "EMULATOR_EKS_ENDPOINTS="+clusters, "MOTO_IAM_LOAD_MANAGED_POLICIES=true",
		// An account of AWS is not born with the snapshots of 500 images.
		"MOTO_EC2_LOAD_DEFAULT_AMIS=false")
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatalf("lab: start the emulator: %v", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // how it ended is in its process state
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = said.Close()
	})
	err = wait.Until(t.Context(), wait.For{
		What: "the emulator to answer", Every: 100 * time.Millisecond, Within: time.Minute, Now: time.Now,
	}, func(ctx context.Context) (bool, error) {
		err := answers(ctx, "http://"+address+"/moto-api/data.json")
		if err == nil {
			return true, nil
		}
		select {
		case <-ended:
			text, _ := os.ReadFile(said.Name())
			return false, fmt.Errorf("the emulator ended: %s\n%s", cmd.ProcessState, text)
		default:
			return false, wait.NotYet(err)
		}
	})
	if err != nil {
		t.Fatalf("lab: %v", err)
	}
	return address
}

func answers(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
