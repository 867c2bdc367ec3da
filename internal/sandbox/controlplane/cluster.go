package controlplane

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

var (
	// ErrNotFound is wrapped when there is no such cluster.
	ErrNotFound = errors.New("cluster not found")
	// ErrRunning is wrapped by Serve when another supervisor runs the cluster.
	ErrRunning = errors.New("another supervisor runs this cluster")
)

// BuiltVersion is the Kubernetes minor version of the control plane's binary.
// Earlier ones, back to oldestVersion, are emulated by it.
const BuiltVersion = "1.35"

// oldestVersion is what kube-apiserver 1.35 still emulates.
const oldestVersion = "1.32"

// Cluster names one cluster, as AWS does: names are unique in an account and region.
type Cluster struct {
	Account string `json:"account"`
	Region  string `json:"region"`
	Name    string `json:"name"`
}

// String returns the cluster as account/region/name.
func (c Cluster) String() string { return c.Account + "/" + c.Region + "/" + c.Name }

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
	// namePattern is what eks:CreateCluster accepts.
	namePattern = regexp.MustCompile(`^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$`)
)

// validate keeps whatever is not a cluster's name from becoming a path.
func (c Cluster) validate() error {
	switch {
	case !accountPattern.MatchString(c.Account):
		return fmt.Errorf("cluster %s: account %q is not 12 digits", c, c.Account)
	case !regionPattern.MatchString(c.Region):
		return fmt.Errorf("cluster %s: %q is not a region", c, c.Region)
	case !namePattern.MatchString(c.Name):
		return fmt.Errorf("cluster %s: name %q does not match %s", c, c.Name, namePattern)
	}
	return nil
}

// Spec is what a cluster is made from.
type Spec struct {
	Cluster
	// Version is the Kubernetes minor version, "1.35"; empty: BuiltVersion.
	Version string
	// Issuer is the service account tokens' issuer; empty: one in EKS's form.
	Issuer string
}

// Endpoint is how a cluster is reached. It never changes while the cluster exists.
type Endpoint struct {
	URL    string
	CA     []byte // PEM
	Issuer string // of service account tokens
}

// CheckVersion reports whether this build can run a version.
func CheckVersion(v string) error {
	minor, err := minorOf(v)
	if err != nil {
		return err
	}
	oldest, _ := minorOf(oldestVersion)
	built, _ := minorOf(BuiltVersion)
	if minor < oldest || minor > built {
		return fmt.Errorf("kubernetes version %s is not available: this build runs %s to %s", v, oldestVersion, BuiltVersion)
	}
	return nil
}

func minorOf(version string) (int, error) {
	s, ok := strings.CutPrefix(version, "1.")
	n, err := strconv.Atoi(s)
	if !ok || err != nil {
		return 0, fmt.Errorf("kubernetes version %q is not of the form 1.N", version)
	}
	return n, nil
}

// files are the places of a cluster's directory.
type files struct{ dir string }

func (f files) record() string         { return filepath.Join(f.dir, "cluster.json") }
func (f files) status() string         { return filepath.Join(f.dir, "supervisor.json") }
func (f files) lock() string           { return filepath.Join(f.dir, "supervisor.lock") }
func (f files) startLock() string      { return filepath.Join(f.dir, "start.lock") }
func (f files) log() string            { return filepath.Join(f.dir, "log", "supervisor.log") }
func (f files) etcdData() string       { return filepath.Join(f.dir, "etcd") }
func (f files) ca() string             { return filepath.Join(f.dir, "pki", "ca.crt") }
func (f files) caKey() string          { return filepath.Join(f.dir, "pki", "ca.key") }
func (f files) authentication() string { return f.run("authentication.yaml") }
func (f files) etcdCA() string         { return filepath.Join(f.dir, "pki", "etcd-ca.crt") }
func (f files) etcdCAKey() string      { return filepath.Join(f.dir, "pki", "etcd-ca.key") }
func (f files) accountKey() string     { return filepath.Join(f.dir, "pki", "service-account.key") }

// run returns the place of a file that each start makes anew.
func (f files) run(name string) string { return filepath.Join(f.dir, "run", name) }

// logOf returns the log of one child.
func (f files) logOf(name string) string { return filepath.Join(f.dir, "log", name+".log") }
