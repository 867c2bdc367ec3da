package watchdog_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"freehold.dev/freehold/internal/uptime"
	"freehold.dev/freehold/internal/watchdog"
)

// TestMain lets this binary be a watchdog, and the owner of one.
func TestMain(m *testing.M) {
	switch {
	case watchdog.Serves(os.Args[0]):
		if err := watchdog.Serve(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case os.Getenv("WATCHDOG_TEST_OWNER") != "":
		own()
	default:
		os.Exit(m.Run())
	}
}

// own watches a process that has started another, says their pids, and holds its
// org for a second, again and again.
func own() {
	dog, err := start()
	c := parent()
	if err == nil {
		err = c.Start()
	}
	if err == nil {
		_, err = dog.Watch(c.Process.Pid, func() time.Duration { return uptime.Now() + 1500*time.Millisecond })
	}
	fmt.Println(c.Process.Pid, err)
	select {}
}

func start() (*watchdog.Watchdog, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return watchdog.Start(self)
}

// parent is a process that has a child.
func parent() *exec.Cmd { return exec.Command("sh", "-c", "sleep 1000 & wait") }

func dog(t *testing.T) *watchdog.Watchdog {
	t.Helper()
	d, err := start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// running is a process with a child, whose pid it returns too.
func running(t *testing.T) (c *exec.Cmd, child int) {
	t.Helper()
	c = parent()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watchdog.KillTree(c.Process.Pid); _ = c.Wait() })
	return c, childOf(t, c.Process.Pid)
}

func childOf(t *testing.T, pid int) int {
	t.Helper()
	for range 6000 {
		out, _ := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
		for line := range strings.Lines(string(out)) {
			var child, parent int
			if _, err := fmt.Sscan(line, &child, &parent); err == nil && parent == pid {
				return child
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("process %d has no child", pid)
	return 0
}

// gone waits until nobody has the pid, or only a zombie.
func gone(pid int) bool {
	for range 300 {
		out, err := exec.Command("ps", "-o", "stat=", "-p", fmt.Sprint(pid)).Output()
		if err != nil || strings.HasPrefix(strings.TrimSpace(string(out)), "Z") {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func TestAProcessIsEndedWithAllThatItStartedWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	c, child := running(t)
	at := uptime.Now() + time.Second
	watch, err := dog(t).Watch(c.Process.Pid, func() time.Duration { return at })
	if err != nil {
		t.Fatal(err)
	}
	if !gone(c.Process.Pid) || !gone(child) {
		t.Error("it goes on")
	}
	if late := uptime.Since(at); late < 0 || late > time.Second {
		t.Errorf("it was ended %s after its time", late)
	}
	_ = c.Wait()
	if ended, err := watch.Stop(); err != nil || !ended {
		t.Errorf("ended by the watchdog: %t, %v", ended, err)
	}
}

func TestAProcessWhoseTimeMovesOnIsLeftAlone(t *testing.T) {
	t.Parallel()
	c, child := running(t)
	d := dog(t)
	watch, err := d.Watch(c.Process.Pid, func() time.Duration { return uptime.Now() + 1500*time.Millisecond })
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2500 * time.Millisecond)
	if ended, err := watch.Stop(); err != nil || ended {
		t.Errorf("ended by the watchdog: %t, %v", ended, err)
	}
	// What is no longer watched has no time.
	time.Sleep(2 * time.Second)
	for _, pid := range []int{c.Process.Pid, child} {
		if err := syscall.Kill(pid, 0); err != nil {
			t.Errorf("process %d: %v", pid, err)
		}
	}
}

// The owner is another process here: the test's own would not notice.
func TestWhatBecomesOfTheOwner(t *testing.T) {
	for reason, signal := range map[string]syscall.Signal{"it is stopped": syscall.SIGSTOP, "it is killed": syscall.SIGKILL} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			owner := exec.Command(self)
			owner.Env = append(os.Environ(), "WATCHDOG_TEST_OWNER=1")
			out, err := owner.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := owner.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = owner.Process.Kill(); _ = owner.Wait() })
			pid, failed := 0, ""
			if _, err := fmt.Fscan(out, &pid, &failed); err != nil || failed != "<nil>" {
				t.Fatalf("the owner: %v, %s", err, failed)
			}
			child := childOf(t, pid)
			time.Sleep(2 * time.Second) // longer than it is held for at a time
			if err := syscall.Kill(child, 0); err != nil {
				t.Fatal(err)
			}
			if err := owner.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			if !gone(pid) || !gone(child) {
				t.Error("what it has started goes on")
			}
		})
	}
}
