package controlplane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"freehold.dev/freehold/internal/wait"
)

const (
	// ensureDeadline bounds Ensure: an old supervisor's end and a new one's start.
	ensureDeadline = startDeadline + 30*time.Second
	// stopDeadline is how long a supervisor may take to stop before it is killed.
	stopDeadline = 30 * time.Second
)

// Ensure starts a cluster unless it runs, and returns when its API server is
// ready. It counts as use. progress, which may be nil, hears what is waited for.
func (m *Manager) Ensure(ctx context.Context, c Cluster, progress func(string)) error {
	f, r, err := m.record(c)
	if err != nil {
		return err
	}
	if progress == nil {
		progress = func(string) {}
	}
	client, err := probeClient(f)
	if err != nil {
		return fmt.Errorf("cluster %s: %w", c, err)
	}
	defer client.CloseIdleConnections()
	if m.isReady(ctx, f, r, client) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, ensureDeadline)
	defer cancel()
	// One starter at a time; the others find the cluster ready.
	unlock, err := lockFile(ctx, f.startLock())
	if err != nil {
		return fmt.Errorf("cluster %s: start: %w", c, err)
	}
	defer unlock()
	if err := m.start(ctx, f, r, client, progress); err != nil {
		return fmt.Errorf("cluster %s: start: %w", c, err)
	}
	return nil
}

// start starts a supervisor whenever none runs, until the cluster is ready.
func (m *Manager) start(ctx context.Context, f files, r record, client *http.Client, progress func(string)) error {
	var ended <-chan error // of the supervisor that we started
	var pid int
	var reported string
	err := wait.Until(ctx, wait.For{
		What: "the cluster to be ready", Every: 40 * time.Millisecond, Within: ensureDeadline, Now: m.o.Now,
	}, func(ctx context.Context) (bool, error) {
		if m.isReady(ctx, f, r, client) {
			return true, nil
		}
		if ended == nil {
			running, err := m.running(f)
			if err != nil {
				return false, err
			}
			if !running {
				if pid, ended, err = m.spawn(f); err != nil {
					return false, err
				}
			}
		}
		if s, err := readJSON[status](f.status()); err == nil && s.Message != "" && s.Message != reported && s.alive() {
			reported = s.Message
			progress(reported)
		}
		select {
		case err := <-ended:
			if s, statusErr := readJSON[status](f.status()); statusErr == nil && s.Phase == phaseFailed && s.PID == pid {
				return false, errors.New(s.Message)
			}
			if running, lockErr := m.running(f); err != nil && lockErr == nil && !running {
				return false, fmt.Errorf("the supervisor ended: %w: %s", err, lastLine(f.log()))
			}
			ended = nil // another was at work: follow that one
		default:
		}
		return false, nil
	})
	if err != nil && (ctx.Err() != nil || errors.Is(err, wait.ErrDeadline)) {
		return fmt.Errorf("the cluster is not ready (%s): %w", reported, err)
	}
	return err
}

// spawn starts a supervisor that outlives this process.
func (m *Manager) spawn(f files) (pid int, ended <-chan error, err error) {
	if m.o.Executable == "" {
		return 0, nil, errors.New("no executable to run the cluster with")
	}
	log, err := openLog(f.log())
	if err != nil {
		return 0, nil, err
	}
	defer log.Close()
	args := append(append([]string{}, m.o.ServeArgs...), "--dir", f.dir, "--idle", m.o.Idle.String())
	cmd := exec.Command(m.o.Executable, args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = string(filepath.Separator) // it keeps no folder of its caller busy
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return 0, nil, fmt.Errorf("start the supervisor: %w", err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	return cmd.Process.Pid, done, nil
}

// running reports whether a supervisor holds the cluster.
func (m *Manager) running(f files) (bool, error) {
	lock := flock.New(f.lock(), flock.SetPermissions(0o600))
	free, err := lock.TryLock()
	if err != nil {
		return false, fmt.Errorf("look for a supervisor: %w", err)
	}
	if free {
		return false, lock.Unlock()
	}
	return true, nil
}

// isReady asks the cluster itself, if its supervisor says that it is worth asking.
// One that is asleep is woken by that.
func (m *Manager) isReady(ctx context.Context, f files, r record, client *http.Client) bool {
	s, err := readJSON[status](f.status())
	if err != nil || s.Phase != phaseReady && s.Phase != phaseAsleep {
		return false
	}
	_, ok := probe(ctx, client, r.url())
	return ok
}

// Running reports whether a cluster's supervisor runs; the cluster may be asleep.
func (m *Manager) Running(c Cluster) (bool, error) {
	f, _, err := m.record(c)
	if err != nil {
		return false, err
	}
	return m.running(f)
}

// probeClient trusts the cluster's own authority only: another server on its port is not the cluster.
func probeClient(f files) (*http.Client, error) {
	ca, err := os.ReadFile(f.ca())
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &http.Client{
		Timeout:   2 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true},
	}, nil
}

// Stop stops a cluster and returns when none of its processes is left. Its data stays.
func (m *Manager) Stop(ctx context.Context, c Cluster) error {
	f, _, err := m.record(c)
	if err != nil {
		return err
	}
	unlock, err := m.stop(ctx, f)
	if err != nil {
		return fmt.Errorf("cluster %s: stop: %w", c, err)
	}
	unlock()
	return nil
}

// Delete stops a cluster and removes it with its data. Deleting a cluster that
// is not there does nothing.
func (m *Manager) Delete(ctx context.Context, c Cluster) error {
	f, _, err := m.record(c)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	unlock, err := m.stop(ctx, f)
	if err != nil {
		return fmt.Errorf("cluster %s: delete: %w", c, err)
	}
	defer unlock()
	// A Create of the same name must not find its new directory being removed.
	unlockRoot, err := m.lockRoot(ctx)
	if err != nil {
		return fmt.Errorf("cluster %s: delete: %w", c, err)
	}
	defer unlockRoot()
	// Without its record the cluster is gone; the rest is rubbish that Create clears too.
	if err := os.Remove(f.record()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cluster %s: delete: %w", c, err)
	}
	if err := os.RemoveAll(f.dir); err != nil {
		return fmt.Errorf("cluster %s: delete: %w", c, err)
	}
	return nil
}

// stop ends the supervisor and what a killed one left, and keeps any other from
// starting until unlock.
func (m *Manager) stop(ctx context.Context, f files) (unlock func(), err error) {
	lock := flock.New(f.lock(), flock.SetPermissions(0o600))
	stopped := wait.For{What: "the supervisor to stop", Every: 25 * time.Millisecond, Within: stopDeadline, Now: m.o.Now}
	asked := process{}
	ask := func(context.Context) (bool, error) {
		free, err := lock.TryLock()
		if free || err != nil {
			return free, err
		}
		// Its status may not be written yet, or name one that was killed before.
		if s, err := readJSON[status](f.status()); err == nil && s.process != asked && s.alive() {
			asked = s.process
			return false, asked.signal(syscall.SIGTERM)
		}
		return false, nil
	}
	err = wait.Until(ctx, stopped, ask)
	if errors.Is(err, wait.ErrDeadline) {
		err = wait.Until(ctx, stopped, func(ctx context.Context) (bool, error) {
			free, err := ask(ctx)
			if free || err != nil {
				return free, err
			}
			return false, asked.signal(syscall.SIGKILL)
		})
	}
	if err != nil {
		return nil, err
	}
	if err := endLeftovers(ctx, f, m.o.Now); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	if err := os.Remove(f.status()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, errors.Join(err, lock.Unlock())
	}
	return func() { _ = lock.Unlock() }, nil // closing the file is all that can fail
}

// Upgrade gives a cluster a later version, with which its next start runs. It
// is stopped for that.
func (m *Manager) Upgrade(ctx context.Context, c Cluster, version string) error {
	f, r, err := m.record(c)
	if err != nil {
		return err
	}
	if err := CheckVersion(version); err != nil {
		return fmt.Errorf("cluster %s: upgrade: %w", c, err)
	}
	is, err := minorOf(r.Version)
	if err != nil {
		return fmt.Errorf("cluster %s: upgrade: %w", c, err)
	}
	if to, err := minorOf(version); err != nil || to < is {
		return fmt.Errorf("cluster %s: upgrade: %s is before %s", c, version, r.Version)
	} else if to == is {
		return nil
	}
	unlock, err := m.stop(ctx, f)
	if err != nil {
		return fmt.Errorf("cluster %s: upgrade: %w", c, err)
	}
	defer unlock()
	r.Version = version
	return writeJSON(f.record(), r)
}

// StopAll stops every cluster below the root.
func (m *Manager) StopAll(ctx context.Context) error {
	all, err := m.List()
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range all {
		errs = append(errs, m.Stop(ctx, c))
	}
	return errors.Join(errs...)
}
