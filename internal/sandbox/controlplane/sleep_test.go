package controlplane

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

func TestASleepingClusterWakesUpForWhoeverConnects(t *testing.T) {
	withTools(t)
	m := newManager(t, t.TempDir(), time.Hour, "--awake=-1", "--quiet=500ms")
	if _, err := m.Create(t.Context(), Spec{Cluster: acme}); err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatal(err)
	}
	// It has no open connection between two requests, and asks for nothing to be started.
	client := func() error {
		config, err := m.RESTConfig(acme, admin)
		if err != nil {
			return err
		}
		return once(config, func(c *coreclient.CoreV1Client) error {
			_, err := c.ConfigMaps("default").Get(t.Context(), "kept", metav1.GetOptions{})
			return err
		})
	}
	config, err := m.RESTConfig(acme, admin)
	if err != nil {
		t.Fatal(err)
	}
	err = once(config, func(c *coreclient.CoreV1Client) error {
		cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "kept"}}
		_, err := c.ConfigMaps("default").Create(t.Context(), cm, metav1.CreateOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	awake := supervisorOf(t, m)
	asleep := func() {
		t.Helper()
		eventually(t, "the cluster sleeps", func() bool {
			s := supervisorOf(t, m)
			return s.Phase == phaseAsleep && len(s.Children) == 0
		})
	}
	asleep()
	for _, p := range awake.Children {
		if p.alive() {
			t.Errorf("%s, process %d, runs though the cluster sleeps", p.Name, p.PID)
		}
	}
	if running, err := m.Running(acme); err != nil || !running || !awake.alive() {
		t.Errorf("nobody listens for the sleeping cluster: running %v, %v", running, err)
	}

	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if err := client(); err != nil {
				t.Errorf("a request does not wake the cluster: %v", err)
			}
		})
	}
	group.Wait()
	if next := supervisorOf(t, m); next.process != awake.process {
		t.Error("another supervisor woke it")
	}
	log, err := os.ReadFile(m.files(acme).log())
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(log), "msg=ready"); n != 2 {
		t.Errorf("it was ready %d times, expected 2, at the start and after the sleep:\n%s", n, log)
	}

	asleep()
	if err := syscall.Kill(awake.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := m.Ensure(t.Context(), acme, nil); err != nil {
		t.Fatalf("after a kill in its sleep: %v", err)
	}
	if err := client(); err != nil {
		t.Errorf("after a kill in its sleep: %v", err)
	}
	asleep()
	if err := m.Stop(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
	if running, err := m.Running(acme); err != nil || running {
		t.Errorf("running %v, %v after it was stopped in its sleep", running, err)
	}
}

// once does something with a client whose connections end with it.
func once(config *rest.Config, do func(*coreclient.CoreV1Client) error) error {
	connections, err := rest.HTTPClientFor(config)
	if err != nil {
		return err
	}
	defer connections.CloseIdleConnections()
	client, err := coreclient.NewForConfigAndClient(config, connections)
	if err != nil {
		return err
	}
	return do(client)
}

func TestOfTooManyClustersThoseSleepThatWereLeftAloneForLongest(t *testing.T) {
	now := time.Date(2026, 11, 3, 9, 0, 0, 0, time.UTC)
	minutes := func(n int) time.Time { return now.Add(-time.Duration(n) * time.Minute) }
	self, err := newProcess("supervisor", os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	parent, err := newProcess("supervisor", os.Getppid())
	if err != nil {
		t.Fatal(err)
	}
	dead := self
	dead.Start += "0"
	used := time.Time{}
	of := func(p process, in phase, unused time.Time) status {
		return status{process: p, Phase: in, Unused: unused}
	}
	for name, tc := range map[string]struct {
		own    time.Time
		others []status
		awake  int
		want   bool
	}{
		"alone":                             {own: minutes(5), awake: 1},
		"alone where none may stay awake":   {own: minutes(5), awake: -1, want: true},
		"in use where none may stay awake":  {own: used, awake: -1},
		"as many as may be":                 {own: minutes(5), others: []status{of(parent, phaseReady, minutes(1))}, awake: 2},
		"one too many, left alone longest":  {own: minutes(5), others: []status{of(parent, phaseReady, minutes(1))}, awake: 1, want: true},
		"one too many, another longer":      {own: minutes(1), others: []status{of(parent, phaseReady, minutes(5))}, awake: 1},
		"one too many, the other is in use": {own: minutes(1), others: []status{of(parent, phaseReady, used)}, awake: 1, want: true},
		"one too many, the other starts":    {own: minutes(1), others: []status{of(parent, phaseStarting, used)}, awake: 1, want: true},
		"two too many, one of them longer":  {own: minutes(2), others: []status{of(parent, phaseReady, minutes(5)), of(parent, phaseReady, used)}, awake: 1, want: true},
		"others sleep":                      {own: minutes(1), others: []status{of(parent, phaseAsleep, minutes(5)), of(parent, phaseAsleep, minutes(6))}, awake: 1},
		"others stop or have failed":        {own: minutes(1), others: []status{of(parent, phaseStopping, used), of(parent, phaseFailed, used)}, awake: 1},
		"another was killed":                {own: minutes(1), others: []status{of(dead, phaseReady, minutes(5))}, awake: 1},
		"another was left at the same time": {own: minutes(1), others: []status{of(parent, phaseReady, minutes(1))}, awake: 1, want: self.PID < parent.PID},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			at := func(n int) files {
				return files{filepath.Join(root, acme.Account, acme.Region, acme.Name+strings.Repeat("x", n))}
			}
			s := &supervisor{files: at(0), options: ServeOptions{Awake: tc.awake}, status: of(self, phaseReady, tc.own)}
			for i, other := range append([]status{s.status}, tc.others...) {
				if err := writeJSON(at(i).status(), other); err != nil {
					t.Fatal(err)
				}
			}
			if got := s.crowded(); got != tc.want {
				t.Errorf("its turn to sleep: %v, expected %v", got, tc.want)
			}
		})
	}
}

// passing returns a proxy that serves, and dials it.
func passing(t *testing.T) (p *proxy, dial func() net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p = newProxy(l, time.Now)
	go p.serve()
	t.Cleanup(p.close)
	return p, func() net.Conn {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
}

// echo serves what says "yes" to each connection.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "yes")
			_ = c.Close()
		}
	}()
	return l.Addr().String()
}

func answer(t *testing.T, c net.Conn) string {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAConnectionToASleeperKnocksAndWaits(t *testing.T) {
	p, dial := passing(t)
	target := echo(t)
	for round := range 3 {
		c := dial()
		select {
		case <-p.knock:
		case <-time.After(10 * time.Second):
			t.Fatal("nobody knocked")
		}
		if p.sleepIfIdle(0) || p.closeIfIdle(0) || !p.unused().IsZero() {
			t.Error("a connection that waits is not use")
		}
		p.wake(target)
		if got := answer(t, c); got != "yes" {
			t.Errorf("round %d: the connection that waited reads %q", round, got)
		}
		if got := answer(t, dial()); got != "yes" {
			t.Errorf("round %d: a connection to what is awake reads %q", round, got)
		}
		eventually(t, "it is idle", func() bool { return p.sleepIfIdle(0) })
	}
}

// A connection may come at any moment of the way into sleep: it is answered
// either before it or after the next waking.
func TestNoConnectionIsLostOnTheWayIntoSleep(t *testing.T) {
	p, dial := passing(t)
	target := echo(t)
	p.wake(target)
	end := make(chan struct{})
	var waker sync.WaitGroup
	waker.Go(func() {
		for {
			for !p.sleepIfIdle(0) {
				select {
				case <-end:
					return
				default:
				}
			}
			select {
			case <-p.knock:
				p.wake(target)
			case <-end:
				return
			}
		}
	})
	for range 500 {
		if got := answer(t, dial()); got != "yes" {
			t.Errorf("a connection reads %q", got)
		}
	}
	close(end)
	waker.Wait()
}

func TestWhoWaitsForASleeperIsLetGoWhenItEnds(t *testing.T) {
	p, dial := passing(t)
	c := dial()
	<-p.knock
	p.close()
	if got := answer(t, c); got != "" {
		t.Errorf("the connection reads %q", got)
	}
}
