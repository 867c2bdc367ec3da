package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"k8s.io/client-go/rest"

	"freehold.dev/freehold/internal/localhost"
	"freehold.dev/freehold/internal/wait"
)

const (
	// DefaultIdle is how long a cluster that nobody uses keeps running, awake or asleep.
	DefaultIdle = 15 * time.Minute
	// DefaultAwake and DefaultQuiet are for a laptop: a cluster that is awake holds
	// some 300 MiB, and wakes up within three to four seconds.
	DefaultAwake = 4
	DefaultQuiet = 30 * time.Second
)

// startDeadline bounds one start inside the supervisor. A cold start takes
// seconds; two busy cores and a cold disk take longer.
const startDeadline = 90 * time.Second

// ServeOptions are what a supervisor runs with.
type ServeOptions struct {
	// Idle is how long nobody may use the cluster before it stops; zero: DefaultIdle.
	Idle time.Duration
	// Awake is how many clusters of one root stay awake though nobody has used
	// them for Quiet; zero: DefaultAwake; negative: none.
	Awake int
	// Quiet is how long nobody may use a cluster before it may sleep; zero: DefaultQuiet.
	Quiet time.Duration
	// Log gets the supervisor's own lines; nil: none.
	Log *slog.Logger
	// Now is the clock; required.
	Now func() time.Time
	// TokenReview is the URL of a webhook that is asked whose a bearer token
	// is, as EKS asks AWS; empty: only certificates and service accounts get in.
	// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication
	TokenReview string
}

// Serve runs the cluster of a directory until ctx ends, nobody uses it any
// more, its directory is removed, or a part of it cannot be kept running. When
// it returns, none of its processes is left. It returns nil after an orderly
// stop, and wraps ErrRunning when another supervisor runs the cluster.
func Serve(ctx context.Context, dir string, o ServeOptions) error {
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	if o.Awake == 0 {
		o.Awake = DefaultAwake
	}
	if o.Quiet <= 0 {
		o.Quiet = DefaultQuiet
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	f := files{dir}
	r, err := readRecord(f)
	if err != nil {
		return err
	}
	lock := flock.New(f.lock(), flock.SetPermissions(0o600))
	// A manager that looks whether someone holds the lock holds it for a moment.
	patience, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if held, err := lock.TryLockContext(patience, 10*time.Millisecond); !held {
		if errors.Is(err, context.DeadlineExceeded) {
			err = ErrRunning
		}
		return fmt.Errorf("cluster %s: %w", r.Cluster, err)
	}
	defer func() { _ = lock.Unlock() }() // closing the file is all that can fail
	// Between the manager's look and our lock, the cluster may have been deleted.
	if r, err = readRecord(f); err != nil {
		return err
	}
	if err := endLeftovers(ctx, f, o.Now); err != nil {
		return err
	}
	self, err := newProcess("supervisor", os.Getpid())
	if err != nil {
		return err
	}
	held, err := os.Stat(f.lock())
	if err != nil {
		return err
	}
	s := &supervisor{files: f, record: r, options: o, spawner: newSpawner(), held: held, status: status{process: self}}
	s.log = o.Log.With("cluster", r.Cluster.String())
	s.report(phaseStarting, "starting etcd and kube-apiserver")
	if err := s.run(ctx); err != nil {
		s.report(phaseFailed, err.Error())
		return fmt.Errorf("cluster %s: %w", r.Cluster, err)
	}
	s.log.Info("stopped")
	if s.removed() {
		return nil
	}
	return os.Remove(f.status())
}

// endLeftovers ends the children of a supervisor that was killed.
func endLeftovers(ctx context.Context, f files, now func() time.Time) error {
	old, err := readJSON[status](f.status())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range old.Children {
		if err := p.signal(syscall.SIGKILL); err != nil {
			return err
		}
	}
	for _, p := range old.Children {
		if err := p.gone(ctx, 10*time.Second, now); err != nil {
			return err
		}
	}
	return nil
}

// supervisor is one cluster while it runs.
type supervisor struct {
	files   files
	record  record
	options ServeOptions
	spawner spawner
	log     *slog.Logger
	held    fs.FileInfo // the lock's file

	mu     sync.Mutex
	status status
}

// removed reports whether the directory was removed while the cluster ran. What
// is at its path now, if anything, is another cluster with another lock.
func (s *supervisor) removed() bool {
	now, err := os.Stat(s.files.lock())
	return errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(s.held, now)
}

// run has the cluster awake and asleep in turn, until there is a reason to stop.
func (s *supervisor) run(ctx context.Context) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", s.record.Port))
	if err != nil {
		return fmt.Errorf("the cluster's port is taken by another process: end that process, or delete the cluster: %w", err)
	}
	proxy := newProxy(listener, s.options.Now)
	defer proxy.close()
	go proxy.serve()
	for {
		if again, err := s.awake(ctx, proxy); !again || err != nil {
			return err
		}
		if again, err := s.asleep(ctx, proxy); !again || err != nil {
			return err
		}
	}
}

// awake starts everything, waits for a reason to stop, and stops everything. It
// reports whether that reason was that the cluster shall sleep.
func (s *supervisor) awake(ctx context.Context, proxy *proxy) (sleeps bool, err error) {
	kube, err := FindTool(kubeBinary)
	if err != nil {
		return false, err
	}
	ports, err := freePorts()
	if err != nil {
		return false, err
	}
	admin, err := s.prepare(ports)
	if err != nil {
		return false, err
	}

	begin := s.options.Now()
	fatal := make(chan error, 4)
	etcd := s.keep(fatal, child{name: "etcd", path: kube, args: etcdArgs(s.files, ports), env: environment(small(100)...), grace: etcdGrace})
	defer etcd()
	apiserver := s.keep(fatal, child{name: "kube-apiserver", path: kube, args: apiserverArgs(s.files, ports, s.record, s.options.TokenReview != ""), env: environment(small(75)...), grace: apiserverGrace})
	defer apiserver()

	if err := s.ready(ctx, admin, fatal); err != nil || ctx.Err() != nil {
		return false, err
	}
	s.log.Info("API server ready", "took", s.options.Now().Sub(begin).Round(time.Millisecond))
	s.report(phaseStarting, "starting kube-controller-manager")
	manager := s.keep(fatal, child{name: "kube-controller-manager", path: kube, args: controllerManagerArgs(s.files, s.record), env: environment(small(75)...), grace: controllerManagerGrace})
	defer manager()
	if err := bindGroups(ctx, admin); err != nil {
		return false, err
	}
	if err := s.settled(ctx, admin, fatal); err != nil || ctx.Err() != nil {
		return false, err
	}
	workload, err := newWorkload(s, admin)
	if err != nil {
		return false, err
	}
	endWorkload, err := workload.begin(ctx)
	if err != nil {
		return false, err
	}
	defer endWorkload()

	proxy.wake(fmt.Sprintf("127.0.0.1:%d", ports.apiserver))
	s.log.Info("ready", "endpoint", s.record.url(), "took", s.options.Now().Sub(begin).Round(time.Millisecond))
	s.report(phaseReady, "")
	if sleeps, err = s.wait(ctx, proxy, fatal); sleeps {
		s.report(phaseAsleep, "")
		return true, nil
	}
	s.report(phaseStopping, "stopping")
	proxy.close() // an API server waits for its watches
	return false, err
}

// prepare writes what this start needs, and returns how the supervisor itself reaches the API.
func (s *supervisor) prepare(p ports) (*rest.Config, error) {
	now := s.options.Now()
	ca, err := loadAuthority(s.files.ca(), s.files.caKey())
	if err != nil {
		return nil, err
	}
	etcdCA, err := loadAuthority(s.files.etcdCA(), s.files.etcdCAKey())
	if err != nil {
		return nil, err
	}
	for _, c := range []struct {
		by   *authority
		file string
		leaf leaf
	}{
		{etcdCA, "etcd", leaf{name: "etcd", server: true, client: true, life: servingLife}},
		{etcdCA, "etcd-client", leaf{name: "kube-apiserver", client: true, life: servingLife}},
		{ca, "apiserver", leaf{name: "kube-apiserver", server: true, life: servingLife}},
	} {
		pair, _, err := c.by.issue(c.leaf, now)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(writeFile(s.files.run(c.file+".crt"), pair.cert), writeFile(s.files.run(c.file+".key"), pair.key)); err != nil {
			return nil, err
		}
	}
	if err := writeAuthentication(s.files); err != nil {
		return nil, err
	}
	if s.options.TokenReview != "" {
		webhook, err := webhookKubeconfig(s.options.TokenReview)
		if err != nil {
			return nil, err
		}
		if err := writeFile(s.files.run(webhookConfig), webhook); err != nil {
			return nil, err
		}
	}
	pair, _, err := ca.issue(leaf{name: "system:kube-controller-manager", client: true, life: servingLife}, now)
	if err != nil {
		return nil, err
	}
	caPEM := certPEM(ca.cert.Raw)
	kubeconfig, err := certificateKubeconfig(local(p.apiserver), caPEM, pair)
	if err != nil {
		return nil, err
	}
	if err := writeFile(s.files.run("controller-manager.kubeconfig"), kubeconfig); err != nil {
		return nil, err
	}
	pair, _, err = ca.issue(leaf{name: "freehold:supervisor", groups: []string{"system:masters"}, client: true, life: servingLife}, now)
	if err != nil {
		return nil, err
	}
	return restConfig(local(p.apiserver), caPEM, pair), nil
}

// keep keeps a child running, and returns how to end it.
func (s *supervisor) keep(fatal chan<- error, c child) (end func()) {
	c.log, c.started, c.ended = s.files.logOf(c.name), s.addChild, s.removeChild
	// A child ends when it is its turn, not when the supervisor is asked to stop.
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := c.keep(ctx, s.spawner, s.log, s.options.Now); err != nil {
			select {
			case fatal <- err:
			default: // one reason to stop is enough
			}
		}
	}()
	return func() { cancel(); <-done }
}

// ready waits until the API server says that it is ready.
func (s *supervisor) ready(ctx context.Context, admin *rest.Config, fatal <-chan error) error {
	client, err := rest.HTTPClientFor(admin)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	client.Timeout = 2 * time.Second
	return s.until(ctx, fatal, func(ctx context.Context) error {
		if said, ok := probe(ctx, client, admin.Host); !ok {
			return fmt.Errorf("kube-apiserver is not ready: %s; %s", said, lastLine(s.files.logOf("kube-apiserver")))
		}
		return nil
	})
}

// until tries something until it succeeds, ctx ends, or it takes too long.
func (s *supervisor) until(ctx context.Context, fatal <-chan error, try func(context.Context) error) error {
	err := wait.Until(ctx, wait.For{
		What: "the cluster to start", Every: 25 * time.Millisecond, Within: startDeadline, Now: s.options.Now,
	}, func(ctx context.Context) (bool, error) {
		err := try(ctx)
		if err == nil {
			return true, nil
		}
		select {
		case err := <-fatal:
			return false, err
		default:
			return false, wait.NotYet(err)
		}
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// wait returns when the cluster shall stop: nil when asked to or idle. It may be
// for a sleep only.
func (s *supervisor) wait(ctx context.Context, p *proxy, fatal <-chan error) (sleeps bool, err error) {
	tick := time.NewTicker(s.every())
	defer tick.Stop()
	for {
		select {
		case err := <-fatal:
			return false, err
		case <-tick.C:
			s.unused(p.unused())
			if s.crowded() && p.sleepIfIdle(s.options.Quiet) {
				s.log.Info("goes to sleep: nobody has used it of late, and enough others are awake")
				return true, nil
			}
			if s.over(p) {
				return false, nil
			}
		case err := <-p.failed:
			return false, err
		case <-ctx.Done():
			s.log.Info("asked to stop")
			return false, nil
		}
	}
}

// every is how often the supervisor looks whether the cluster is used.
func (s *supervisor) every() time.Duration {
	return min(max(min(s.options.Idle, s.options.Quiet)/10, 50*time.Millisecond), 10*time.Second)
}

// over reports whether nobody will use the cluster as it runs now.
func (s *supervisor) over(p *proxy) bool {
	if s.removed() {
		s.log.Info("its directory was removed")
		return true
	}
	if p.closeIfIdle(s.options.Idle) {
		s.log.Info("idle", "for", s.options.Idle)
		return true
	}
	return false
}

func (s *supervisor) report(p phase, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Phase, s.status.Message = p, message
	s.write()
}

func (s *supervisor) addChild(p process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Children = append(s.status.Children, p)
	s.write()
}

func (s *supervisor) removeChild(p process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.status.Children[:0]
	for _, c := range s.status.Children {
		if c != p {
			kept = append(kept, c)
		}
	}
	s.status.Children = kept
	s.write()
}

func (s *supervisor) write() {
	if s.removed() {
		return
	}
	if err := writeJSON(s.files.status(), s.status); err != nil {
		s.log.Error("cannot tell the status", "error", err)
	}
}

// freePorts finds ports that nobody listens on.
func freePorts() (p ports, err error) {
	for _, port := range []*int{&p.etcd, &p.etcdPeer, &p.apiserver} {
		if *port, err = localhost.FreePort(); err != nil {
			return p, err
		}
	}
	return p, nil
}
