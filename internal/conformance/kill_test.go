package conformance_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/event"
)

// killedEverywhere onboards a vended org and kills the run in each of its
// layers, one run after the other; in the first, once before the account can be
// recorded, and once before there is a policy.
func (c *customer) killedEverywhere() {
	c.t.Helper()
	kill := func(moment string, see func(event.Event), isTime func() bool) {
		if !c.killedWhen(moment, see, isTime) {
			c.t.Errorf("onboard %s was not killed %s", c.org, moment)
		}
	}
	kill("at the account's creation", nil, func() bool {
		return slices.ContainsFunc(c.lab.Front.Calls(), func(call lab.Call) bool { return call.Action == "CreateAccount" })
	})
	var policy atomic.Bool
	kill("before the first policy", func(e event.Event) {
		if e.Type == event.ResourceStarted && e.ResourceType == "aws:organizations/policy:Policy" {
			policy.Store(true)
		}
	}, policy.Load)
	for _, layer := range []string{"boundary", "cluster", "bootstrap"} {
		var changed atomic.Int64
		n := 1 + rand.Int64N(20)
		kill(fmt.Sprintf("at change %d of %s", n, layer), func(e event.Event) {
			if e.Layer == layer && e.Type == event.ResourceStarted && (e.Op == "create" || e.Op == "import") {
				changed.Add(1)
			}
		}, func() bool { return changed.Load() >= n })
	}
}

// killed onboards the customer and kills it once so many calls reached its account.
func (c *customer) killed(account string, calls int) {
	c.t.Helper()
	c.killedWhen(fmt.Sprintf("after %d calls", calls), nil, func() bool { return c.lab.Front.Count(account) >= calls })
}

// killedWhen onboards the customer and, as soon as it is time, kills freehold,
// the engine and the providers at once. Whatever happens is shown to see first.
// It reports false where the run had ended before.
func (c *customer) killedWhen(moment string, see func(event.Event), isTime func() bool) bool {
	c.t.Helper()
	cmd := c.command("onboard", "-f", c.spec, "-o", "ndjson")
	var said bytes.Buffer
	cmd.Stderr, cmd.WaitDelay = &said, 10*time.Second // a plugin may outlive it by some time
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.t.Errorf("onboard %s: %v", c.org, err)
		return false
	}
	began, ended := time.Now(), make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 64<<20) // the terminal event carries the whole result
		for lines.Scan() {
			var cloud struct{ Data event.Event }
			if err := json.Unmarshal(lines.Bytes(), &cloud); err == nil && see != nil {
				see(cloud.Data)
			}
		}
		ended <- cmd.Wait()
	}()
	for !isTime() {
		select {
		case err := <-ended:
			c.t.Logf("onboard %s had ended before it was killed %s: %v\n%s", c.org, moment, err, &said)
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	n, err := killAll(c.env)
	if err != nil || n == 0 {
		c.t.Errorf("%d processes of %s were killed: %v", n, c.org, err)
	}
	if err := <-ended; err == nil {
		c.t.Errorf("onboard %s ended well, though it was killed %s", c.org, moment)
	}
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	c.t.Logf("onboard %s: %d processes killed %s, after %s and %s of CPU of its own", c.org, n, moment, time.Since(began).Round(time.Millisecond), cpu.Round(time.Millisecond))
	return true
}

// killAll ends, with -9, every process that has the operator's home in its
// environment: freehold, the CLI that it started and the plugins that those did.
func killAll(env []string) (n int, err error) {
	home := slices.IndexFunc(env, func(v string) bool { return strings.HasPrefix(v, "FREEHOLD_HOME=") })
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil || len(all) == 0 || home < 0 {
		return 0, fmt.Errorf("no /proc to look for processes in: %w", errors.ErrUnsupported)
	}
	for _, file := range all {
		text, err := os.ReadFile(file)
		if err != nil || !slices.Contains(strings.Split(string(text), "\x00"), env[home]) {
			continue // it has ended, or is somebody else's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		if err != nil {
			return n, err
		}
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			n++
		}
	}
	return n, nil
}
