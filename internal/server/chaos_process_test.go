package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/oidctest"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/registry/postgres"
	"freehold.dev/freehold/internal/registry/postgres/pgtest"
	"freehold.dev/freehold/internal/server"
	"freehold.dev/freehold/internal/server/config"
	"freehold.dev/freehold/internal/server/rpc"
	"freehold.dev/freehold/internal/server/servertest"
	"freehold.dev/freehold/internal/server/trialtls"
)

// alone is what this binary is started with to be one service, in a process that can
// be killed.
const alone = "FREEHOLD_TEST_SERVICE"

// process says which service a process is, and of which control plane.
type process struct {
	Config   config.Config
	Dir      string
	Database string
	Roots    string // of the identity provider
}

func TestMain(m *testing.M) {
	if text := os.Getenv(alone); text != "" {
		if err := serveAlone(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func serveAlone(text string) error {
	var p process
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := postgres.Open(ctx, p.Database, time.Now)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	root, err := os.ReadFile(p.Roots)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(root)
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	cases := &lifecycle.Service{
		Records: lifecycle.Records{Registry: s}, Now: time.Now, Log: log,
		Holding: operation.Options{Store: s, Now: time.Now, Holder: operation.ThisProcess()},
	}
	return server.Run(ctx, server.Options{
		Config: p.Config, Dir: p.Dir, Registry: s, As: func(who orgcontext.Authority) rpc.UseCases { return cases.As(who) },
		Internet: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}, Now: time.Now, Log: log,
	})
}

// processes are the five services, each in a process of its own, with one PostgreSQL
// server and one identity provider.
type processes struct {
	*servertest.World

	t        *testing.T
	process  process
	postgres *pgtest.Server
	logs     string
	running  map[string]*exec.Cmd
	// disturbed counts, for each service, up when it is disturbed, and up again when
	// it answers: what is asked while the number is even and stays so is answered.
	disturbed map[string]*atomic.Int64
}

const database = "postgres"

var services = []string{"identity", "control", "worker", "drift", "gateway"}

func newProcesses(t *testing.T, issuer *oidctest.Issuer, db pgtest.DB) *processes {
	t.Helper()
	dir := t.TempDir()
	if err := trialtls.Files(dir, servertest.Domain, time.Now()); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.Config{
		Domain: servertest.Domain, Listen: config.Listen{Address: freeAddress(t), Operations: "127.0.0.1:0"},
		TLS:      config.TLS{Certificate: filepath.Join(dir, trialtls.Certificate), Key: filepath.Join(dir, trialtls.Key)},
		Internal: config.Internal{IssuerFolder: filepath.Join(dir, "spiffe"), Identity: freeAddress(t), Control: freeAddress(t), Worker: freeAddress(t), Drift: freeAddress(t)},
		Limits:   config.Limits{RequestsPerSecond: 1e6, Burst: 1e6, Concurrent: 1000}, StopWithin: 2 * time.Second,
	}, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &processes{
		World: servertest.At(t, issuer, c.Listen.Address, dir), t: t, postgres: pgtest.Start(t), logs: t.TempDir(),
		process: process{Config: c, Dir: dir, Database: db.Service, Roots: issuer.Roots}, running: map[string]*exec.Cmd{}, disturbed: map[string]*atomic.Int64{},
	}
	p.disturbed[database] = &atomic.Int64{}
	for _, name := range services {
		p.disturbed[name] = &atomic.Int64{}
	}
	t.Cleanup(func() {
		for _, cmd := range p.running {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
		if t.Failed() {
			for _, name := range services {
				t.Logf("%s said last:\n%s", name, p.tail(name))
			}
		}
	})
	for _, name := range services {
		p.start(name)
	}
	return p
}

func (p *processes) log(name string) string { return filepath.Join(p.logs, name+".log") }

func (p *processes) tail(name string) []byte {
	text, err := os.ReadFile(p.log(name))
	if err != nil {
		return []byte(err.Error())
	}
	return text[max(0, len(text)-3000):]
}

func (p *processes) start(name string) {
	p.t.Helper()
	one := p.process
	one.Config.Services = []string{name}
	text, err := json.Marshal(one)
	if err != nil {
		p.t.Fatal(err)
	}
	log, err := os.OpenFile(p.log(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), alone+"="+string(text)), log
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.running[name] = cmd
}

// end sends a signal that ends a service, and waits until it has.
func (p *processes) end(name string, with syscall.Signal) {
	p.t.Helper()
	cmd := p.running[name]
	if err := cmd.Process.Signal(with); err != nil {
		p.t.Fatal(err)
	}
	err := cmd.Wait()
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if with == syscall.SIGKILL && (!status.Signaled() || status.Signal() != with) || with != syscall.SIGKILL && err != nil {
		p.t.Errorf("%s was to end by %s, and ended with: %v", name, with, err)
	}
}

// disturb does something to a service, and waits until it answers again.
func (p *processes) disturb(what, name string, do func()) {
	p.t.Helper()
	p.disturbed[name].Add(1)
	do()
	began := time.Now()
	p.answers(name)
	took := time.Since(began)
	p.disturbed[name].Add(1)
	p.t.Logf("%s: answers again after %s", what, took.Round(time.Millisecond))
	if took > within {
		p.t.Errorf("%s: it took %s until it answered again, want at most %s", what, took, within)
	}
}
