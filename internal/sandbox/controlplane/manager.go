package controlplane

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Public endpoints get ports from below the range from which Linux and macOS
// take outgoing connections, so that a stopped cluster's port is still free later.
const (
	firstPort = 21000
	lastPort  = 31999
)

// Options are what a Manager works with.
type Options struct {
	// Root is the folder of all clusters; required.
	Root string
	// Executable and ServeArgs start a supervisor: "--dir DIR --idle D" is
	// appended. Required to Ensure; ServeArgs' default: sandbox serve-cluster.
	Executable string
	ServeArgs  []string
	// Idle is how long nobody may use a cluster before it stops; zero: DefaultIdle.
	Idle time.Duration
	// Now is the clock; required.
	Now func() time.Time
}

// Manager makes, starts, reaches and removes clusters. Several, also in several
// processes, may work on one root at the same time.
type Manager struct{ o Options }

// NewManager returns a manager of the clusters below a root.
func NewManager(o Options) *Manager {
	if o.ServeArgs == nil {
		o.ServeArgs = []string{"sandbox", "serve-cluster"}
	}
	if o.Idle <= 0 {
		o.Idle = DefaultIdle
	}
	return &Manager{o}
}

func (m *Manager) files(c Cluster) files {
	return files{filepath.Join(m.o.Root, c.Account, c.Region, c.Name)}
}

// record reads a cluster's record, and wraps ErrNotFound when there is none.
func (m *Manager) record(c Cluster) (files, record, error) {
	f := m.files(c)
	if err := c.validate(); err != nil {
		return f, record{}, err
	}
	r, err := readRecord(f)
	if err != nil {
		return f, r, fmt.Errorf("cluster %s: %w", c, err)
	}
	return f, r, nil
}

// Create makes a cluster's keys and reserves its endpoint; Ensure starts it. A
// cluster that exists is left as it is, and must be of the same version.
func (m *Manager) Create(ctx context.Context, s Spec) (Endpoint, error) {
	if err := s.validate(); err != nil {
		return Endpoint{}, err
	}
	if s.Version == "" {
		s.Version = BuiltVersion
	}
	if err := CheckVersion(s.Version); err != nil {
		return Endpoint{}, fmt.Errorf("cluster %s: %w", s.Cluster, err)
	}
	if s.Issuer == "" {
		s.Issuer = issuerOf(s.Cluster)
	}
	unlock, err := m.lockRoot(ctx)
	if err != nil {
		return Endpoint{}, err
	}
	defer unlock()
	f, r, err := m.record(s.Cluster)
	if errors.Is(err, ErrNotFound) {
		r, err = m.make(f, s)
	}
	if err != nil {
		return Endpoint{}, err
	}
	if r.Version != s.Version || r.Issuer != s.Issuer {
		return Endpoint{}, fmt.Errorf("cluster %s exists, with version %s and issuer %s", s.Cluster, r.Version, r.Issuer)
	}
	return m.endpoint(f, r)
}

// make builds the directory beside its place and moves it there, so that a
// cluster is there whole or not at all.
func (m *Manager) make(f files, s Spec) (record, error) {
	port, err := m.newPort(s.Cluster)
	if err != nil {
		return record{}, err
	}
	r := record{Cluster: s.Cluster, Version: s.Version, Issuer: s.Issuer, Port: port}
	if err := os.MkdirAll(filepath.Dir(f.dir), 0o700); err != nil {
		return r, err
	}
	draft := files{filepath.Join(m.o.Root, ".draft")} // of a Create that was killed; we hold the lock
	if err := os.RemoveAll(draft.dir); err != nil {
		return r, err
	}
	now := m.o.Now()
	if err := errors.Join(
		os.MkdirAll(filepath.Dir(draft.ca()), 0o700),
		newAuthority("kubernetes", draft.ca(), draft.caKey(), now),
		newAuthority("etcd", draft.etcdCA(), draft.etcdCAKey(), now),
		newAccountKey(draft.accountKey()),
		writeJSON(draft.record(), r),
	); err != nil {
		return r, fmt.Errorf("make cluster %s: %w", s.Cluster, err)
	}
	// What lies there without a record is what a killed Delete left.
	if err := os.RemoveAll(f.dir); err != nil {
		return r, err
	}
	return r, os.Rename(draft.dir, f.dir)
}

// newPort picks a port that no cluster has and nobody listens on. Each cluster gets
// another one, as EKS makes up an address for each, also for one of a name that
// was there before; and two sandboxes of one machine seldom choose alike.
// https://docs.aws.amazon.com/eks/latest/APIReference/API_Cluster.html
func (m *Manager) newPort(c Cluster) (int, error) {
	taken := map[int]bool{}
	all, err := m.records()
	if err != nil {
		return 0, err
	}
	for _, r := range all {
		taken[r.Port] = true
	}
	n := lastPort - firstPort + 1
	first := rand.IntN(n)
	for i := range n {
		port := firstPort + (first+i)%n
		if taken[port] {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("cluster %s: no port from %d to %d is free", c, firstPort, lastPort)
}

// lockRoot keeps other processes from making clusters meanwhile.
func (m *Manager) lockRoot(ctx context.Context) (unlock func(), err error) {
	if err := os.MkdirAll(m.o.Root, 0o700); err != nil {
		return nil, err
	}
	return lockFile(ctx, filepath.Join(m.o.Root, ".lock"))
}

func lockFile(ctx context.Context, file string) (unlock func(), err error) {
	lock := flock.New(file, flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return nil, fmt.Errorf("lock %s: %w", file, err)
	}
	return func() { _ = lock.Unlock() }, nil // closing the file is all that can fail
}

// issuerOf gives a cluster an issuer in EKS's form.
func issuerOf(c Cluster) string {
	sum := sha256.Sum256([]byte(c.String()))
	id := strings.ToUpper(hex.EncodeToString(sum[:16]))
	return fmt.Sprintf("https://oidc.eks.%s.amazonaws.com/id/%s", c.Region, id)
}

// Get returns how a cluster is reached, running or not.
func (m *Manager) Get(c Cluster) (Endpoint, error) {
	f, r, err := m.record(c)
	if err != nil {
		return Endpoint{}, err
	}
	return m.endpoint(f, r)
}

func (m *Manager) endpoint(f files, r record) (Endpoint, error) {
	ca, err := os.ReadFile(f.ca())
	if err != nil {
		return Endpoint{}, fmt.Errorf("cluster %s: %w", r.Cluster, err)
	}
	return Endpoint{URL: r.url(), CA: ca, Issuer: r.Issuer}, nil
}

// List returns every cluster below the root.
func (m *Manager) List() ([]Cluster, error) {
	all, err := m.records()
	var cs []Cluster
	for _, r := range all {
		cs = append(cs, r.Cluster)
	}
	return cs, err
}

func (m *Manager) records() ([]record, error) {
	found, err := filepath.Glob(filepath.Join(m.o.Root, "*", "*", "*", "cluster.json"))
	if err != nil {
		return nil, err
	}
	var all []record
	for _, file := range found {
		r, err := readJSON[record](file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// Find returns the cluster that a kubeconfig's current context names by its
// endpoint and authority. It wraps ErrNotFound when there is none.
func (m *Manager) Find(kubeconfig string) (Cluster, error) {
	config, err := clientcmd.Load([]byte(kubeconfig))
	if err != nil {
		return Cluster{}, fmt.Errorf("read the kubeconfig: %w", err)
	}
	current, ok := config.Contexts[config.CurrentContext]
	if !ok || config.Clusters[current.Cluster] == nil {
		return Cluster{}, fmt.Errorf("the kubeconfig's current context %q names no cluster", config.CurrentContext)
	}
	target := config.Clusters[current.Cluster]
	all, err := m.records()
	if err != nil {
		return Cluster{}, err
	}
	for _, r := range all {
		if r.url() != target.Server {
			continue
		}
		e, err := m.Get(r.Cluster)
		if err != nil {
			return Cluster{}, err
		}
		if string(e.CA) == string(target.CertificateAuthorityData) {
			return r.Cluster, nil
		}
	}
	return Cluster{}, fmt.Errorf("endpoint %s: %w", target.Server, ErrNotFound)
}

// RESTConfig reaches a running cluster as an identity, from this process: the
// certificate in it is not written anywhere.
func (m *Manager) RESTConfig(c Cluster, i Identity) (*rest.Config, error) {
	f, r, err := m.record(c)
	if err != nil {
		return nil, err
	}
	cred, err := m.credential(f, i, inProcessLife)
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", c, err)
	}
	e, err := m.endpoint(f, r)
	if err != nil {
		return nil, err
	}
	return restConfig(e.URL, e.CA, pair{cert: cred.Certificate, key: cred.Key}), nil
}

// Credential proves an identity to a cluster for a quarter of an hour.
func (m *Manager) Credential(c Cluster, i Identity) (Credential, error) {
	f, _, err := m.record(c)
	if err != nil {
		return Credential{}, err
	}
	cred, err := m.credential(f, i, credentialLife)
	if err != nil {
		return Credential{}, fmt.Errorf("cluster %s: %w", c, err)
	}
	return cred, nil
}

func (m *Manager) credential(f files, i Identity, life time.Duration) (Credential, error) {
	if err := i.validate(); err != nil {
		return Credential{}, err
	}
	ca, err := loadAuthority(f.ca(), f.caKey())
	if err != nil {
		return Credential{}, err
	}
	p, expiry, err := ca.issue(leaf{name: i.User, groups: i.Groups, client: true, life: life}, m.o.Now())
	if err != nil {
		return Credential{}, err
	}
	return Credential{Certificate: p.cert, Key: p.key, Expiry: expiry}, nil
}

// Plugin is how a kubeconfig gets its credentials.
type Plugin struct {
	Executable string
	Args       []string
	Env        map[string]string
}

// Kubeconfig reaches a cluster by an exec plugin, which is asked for a
// credential at each use and wakes the cluster. It holds no secret.
func (m *Manager) Kubeconfig(c Cluster, p Plugin) ([]byte, error) {
	e, err := m.Get(c)
	if err != nil {
		return nil, err
	}
	return execKubeconfig(c.Name, e.URL, e.CA, p)
}

// CABase64 returns the authority as EKS's API tells it: PEM in base64.
func (e Endpoint) CABase64() string { return base64.StdEncoding.EncodeToString(e.CA) }
