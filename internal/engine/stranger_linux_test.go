package engine_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/localhost"
)

const mallory = 65534

func TestAnotherUserOfTheMachineReachesNothingOfARun(t *testing.T) {
	if err := localhost.GuardKnown(); err != nil {
		t.Skipf("THIS MACHINE HAS NO GUARD: another user can have the engine make what they like: %v", err)
	}
	if os.Geteuid() != 0 {
		t.Skip("NOT TRIED: only root can be another user")
	}
	e, ships := fleetEngine(t, func(p *engine.Policies) { p.Within = 5 * time.Minute })
	s := fleetStack("one=oak")
	own := s.Program
	tried := 0
	s.Program = func(ctx *pulumi.Context) error {
		if err := own(ctx); err != nil || ctx.DryRun() {
			return err
		}
		ports := listening(t)
		if len(ports) < 4 { // the monitor, the engine, the provider, and who follows them
			t.Errorf("found only the ports %v", ports)
		}
		for _, line := range called(t, os.Geteuid(), "harmless,"+strings.Join(ports, ",")) {
			if !strings.HasSuffix(line, " OK") && !strings.HasSuffix(line, " Unimplemented") {
				t.Errorf("this user: %s", line)
			}
		}
		for _, line := range called(t, mallory, strings.Join(ports, ",")) {
			tried++
			if !strings.HasSuffix(line, " Unavailable") {
				t.Errorf("another user: %s", line)
			}
		}
		return nil
	}
	res, err := e.Up(t.Context(), s, nil)
	if err != nil {
		t.Error(err)
	}
	if tried < 4*len(attempts) {
		t.Errorf("only %d calls were tried", tried)
	}
	for _, step := range res.Steps {
		if strings.Contains(step.URN, "mallory") {
			t.Errorf("it made %s", step.URN)
		}
	}
	if taken := ships.taken(); strings.Contains(strings.Join(taken, "\n"), "mallory") {
		t.Errorf("the provider was called: %q", taken)
	}
}

// called has a process of a user call the ports, and returns its lines.
func called(t *testing.T, uid int, ports string) []string {
	t.Helper()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	// Another user may not enter the folder that the test is in.
	c := exec.Command("/proc/self/fd/3")
	c.ExtraFiles = []*os.File{self}
	c.Dir, c.Env = "/", []string{strangers + "=" + ports}
	if uid != os.Geteuid() {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("user %d: %v\n%s", uid, err, out)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// listening are the ports at which this process and those that it has started listen.
func listening(t *testing.T) []string {
	t.Helper()
	family := []int{os.Getpid()}
	for changed := true; changed; {
		changed = false
		stats, _ := filepath.Glob("/proc/[0-9]*/stat")
		for _, name := range stats {
			raw, err := os.ReadFile(name)
			if err != nil {
				continue
			}
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			_, rest, _ := strings.Cut(string(raw), ") ")
			parent, _ := strconv.Atoi(strings.Fields(rest)[1])
			if slices.Contains(family, parent) && !slices.Contains(family, pid) {
				family, changed = append(family, pid), true
			}
		}
	}
	sockets := map[string]bool{}
	for _, pid := range family {
		fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, fd := range fds {
			if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, "socket:[") {
				sockets[strings.Trim(to, "socket:[]")] = true
			}
		}
	}
	var ports []string
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		raw, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(raw)) {
			f := strings.Fields(line)
			const listening = "0A"
			if len(f) < 10 || f[3] != listening || !sockets[f[9]] {
				continue
			}
			port, err := strconv.ParseInt(f[1][strings.LastIndex(f[1], ":")+1:], 16, 32)
			if err == nil {
				ports = append(ports, strconv.Itoa(int(port)))
			}
		}
	}
	return ports
}
