// Package config holds the settings of "freehold serve", from a file and from the
// environment. A variable wins over the file, the file over the default.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"go.yaml.in/yaml/v3"

	"freehold.dev/freehold/internal/server/edge"
	"freehold.dev/freehold/internal/server/route"
)

// ErrInvalid is wrapped by an error about a setting.
var ErrInvalid = errors.New("invalid configuration")

// Prefix begins the name of every variable.
const Prefix = "FREEHOLD_SERVE_"

// Config is the whole configuration. docs/deploy/README.md lists the settings, and a
// test compares it with this type.
type Config struct {
	// Domain is what the host names of orgs end in: acme's is acme.DOMAIN.
	Domain string `yaml:"domain" env:"DOMAIN"`
	// Services are the services that this process runs. Default: all.
	Services []string `yaml:"services" env:"SERVICES"`
	// Listen says where clients connect.
	Listen Listen `yaml:"listen" envPrefix:"LISTEN_"`
	// TLS is the certificate that clients see.
	TLS TLS `yaml:"tls" envPrefix:"TLS_"`
	// Operators says who runs the fleet.
	Operators Operators `yaml:"operators" envPrefix:"OPERATORS_"`
	// Internal says how the services reach each other.
	Internal Internal `yaml:"internal" envPrefix:"INTERNAL_"`
	// Limits bound what one org, and what all orgs together, can ask for.
	Limits Limits `yaml:"limits" envPrefix:"LIMITS_"`
	// StopWithin is how long requests and operations have to end when the server is
	// asked to stop. Default: 30s.
	StopWithin time.Duration `yaml:"stopWithin" env:"STOP_WITHIN"`
	// Login says where "freehold login" finds the identity providers.
	Login Login `yaml:"login" envPrefix:"LOGIN_"`
	// IssuerHosts are hosts of identity providers that may have any address, such as
	// login.internal or login.internal:8443. Orgs choose their providers, so all others
	// are reached at public addresses only. Default: none.
	IssuerHosts []string `yaml:"issuerHosts" env:"ISSUER_HOSTS"`
	// TrialIssuer is where "freehold serve --sandbox" has identity providers for trying,
	// a port of localhost. Without --sandbox there are none. Default: https://localhost:8444.
	TrialIssuer string `yaml:"trialIssuer" env:"TRIAL_ISSUER"`
}

// Login is the rule by which a client that has no token yet finds the identity
// provider of a host. It is the same for all orgs: an answer says nothing about
// whether there is such an org. Without a rule a client has to be told.
type Login struct {
	// Orgs is an issuer in which {org} stands for the org's name, such as
	// https://login.example.com/realms/{org}.
	Orgs string `yaml:"orgs" env:"ORGS"`
	// Operators is the issuer for the operators' host.
	Operators string `yaml:"operators" env:"OPERATORS"`
}

// Listen says where clients connect.
type Listen struct {
	// Address is where the gateway listens for clients. Default: :8443.
	Address string `yaml:"address" env:"ADDRESS"`
	// Port is the port that clients connect to, if a load balancer in front listens on
	// another one. Default: that of the address.
	Port int `yaml:"port" env:"PORT"`
	// Operations is the address of /healthz, /readyz and /metrics, which need no
	// token. Default: 127.0.0.1:8445.
	Operations string `yaml:"operations" env:"OPERATIONS"`
	// Proxies are the ranges of those whose X-Forwarded-For is believed. Default: none.
	Proxies []string `yaml:"proxies" env:"PROXIES"`
}

// TLS is the certificate that clients see: from files, or by ACME.
type TLS struct {
	// Certificate and Key are PEM files, which are read again when they change. The
	// certificate is for *.DOMAIN.
	Certificate string `yaml:"certificate" env:"CERTIFICATE"`
	Key         string `yaml:"key" env:"KEY"`
	// ACME gets a certificate for each host that is asked for, instead of files.
	ACME ACME `yaml:"acme" envPrefix:"ACME_"`
}

// ACME is an authority that issues certificates (RFC 8555).
type ACME struct {
	// Email is the address that the authority writes to. Setting it turns ACME on, and
	// accepts the authority's terms.
	Email string `yaml:"email" env:"EMAIL"`
	// Directory is the authority's URL. Default: Let's Encrypt.
	Directory string `yaml:"directory" env:"DIRECTORY"`
	// Cache is the folder of the certificates. Default: one in the home.
	Cache string `yaml:"cache" env:"CACHE"`
}

// Operators says who runs the fleet. Without an issuer nobody does, and the
// operators' host answers like one that nobody may use.
type Operators struct {
	// Host is their host name. Default: op.DOMAIN, which no org can be called.
	Host string `yaml:"host" env:"HOST"`
	// IssuerURL is the "iss" of their tokens, whose audience is Host.
	IssuerURL string `yaml:"issuerUrl" env:"ISSUER_URL"`
	// UsernameClaim and GroupsClaim are as in the access section of an org's document.
	UsernameClaim string `yaml:"usernameClaim" env:"USERNAME_CLAIM"`
	GroupsClaim   string `yaml:"groupsClaim" env:"GROUPS_CLAIM"`
	// OperatorGroups may do everything, ViewerGroups read everything.
	OperatorGroups []string `yaml:"operatorGroups" env:"OPERATOR_GROUPS"`
	ViewerGroups   []string `yaml:"viewerGroups" env:"VIEWER_GROUPS"`
}

// Internal says how the services reach each other, and how they know each other.
type Internal struct {
	// TrustDomain is the trust domain of the SPIFFE IDs,
	// spiffe://TRUSTDOMAIN/freehold/SERVICE.
	// Default: the domain.
	TrustDomain string `yaml:"trustDomain" env:"TRUST_DOMAIN"`
	// WorkloadAPI is the socket of SPIRE's agent, such as unix:///run/spire/agent.sock.
	WorkloadAPI string `yaml:"workloadApi" env:"WORKLOAD_API"`
	// IssuerFolder is the folder of the built-in issuer, for services on one machine.
	// Default, without a Workload API: one in the home.
	IssuerFolder string `yaml:"issuerFolder" env:"ISSUER_FOLDER"`
	// Identity, Control, Worker and Drift are the addresses at which these services
	// listen and are reached. Default, where all services are in one process: a free port of the
	// loopback.
	Identity string `yaml:"identity" env:"IDENTITY"`
	Control  string `yaml:"control" env:"CONTROL"`
	Worker   string `yaml:"worker" env:"WORKER"`
	Drift    string `yaml:"drift" env:"DRIFT"`
}

// Limits bound what callers can ask for. More than that is answered with
// RESOURCE_EXHAUSTED and when to try again.
type Limits struct {
	// RequestsPerSecond and Burst limit the requests of one org. Default: 50 and 100.
	RequestsPerSecond float64 `yaml:"requestsPerSecond" env:"REQUESTS_PER_SECOND"`
	Burst             int     `yaml:"burst" env:"BURST"`
	// Concurrent is how many requests of one org may be under way. Default: 32.
	Concurrent int `yaml:"concurrent" env:"CONCURRENT"`
	// Operations is how many operations may run at the same time in one worker. Default: 8.
	Operations int `yaml:"operations" env:"OPERATIONS"`
}

// Load reads a file, "" for none, and the environment, over what is set already. What
// it returns is complete and valid. Errors wrap ErrInvalid and name the file with its
// line, or the variable.
func Load(c Config, file string, environ map[string]string) (Config, error) {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return c, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		dec := yaml.NewDecoder(bytes.NewReader(text))
		dec.KnownFields(true)
		if err := dec.Decode(&c); err != nil && len(bytes.TrimSpace(text)) > 0 {
			return c, inFile(file, err)
		}
	}
	return c.with(environ)
}

func (c Config) with(environ map[string]string) (Config, error) {
	if err := env.ParseWithOptions(&c, env.Options{Environment: environ, Prefix: Prefix}); err != nil {
		return c, inVariables(err)
	}
	known := Variables()
	for name := range environ {
		if strings.HasPrefix(name, Prefix) && !slices.Contains(known, name) {
			return c, fmt.Errorf("%w: %s: there is no such setting", ErrInvalid, name)
		}
	}
	c.defaults()
	return c, c.check()
}

// inFile is what is wrong with a file, one mistake per line.
func inFile(file string, err error) error {
	typed, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return fmt.Errorf("%w: %s: %s", ErrInvalid, file, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	var errs []error
	for _, mistake := range typed.Errors {
		errs = append(errs, fmt.Errorf("%w: %s: %s", ErrInvalid, file, ofType.ReplaceAllString(mistake, " is not a setting")))
	}
	return errors.Join(errs...)
}

// ofType is how the library says that a type of ours has no such field.
var ofType = regexp.MustCompile(` not found in type \S+`)

// inVariables is what is wrong with the environment.
func inVariables(err error) error {
	all, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	var errs []error
	for _, one := range all.Errors {
		wrong, ok := errors.AsType[env.ParseError](one)
		if !ok {
			errs = append(errs, fmt.Errorf("%w: %w", ErrInvalid, one))
			continue
		}
		name := wrong.Name
		for _, v := range Variables() {
			if strings.HasSuffix(strings.ReplaceAll(v, "_", ""), strings.ToUpper(wrong.Name)) {
				name = v
			}
		}
		errs = append(errs, fmt.Errorf("%w: %s: %w", ErrInvalid, name, wrong.Err))
	}
	return errors.Join(errs...)
}

// Variables are the names of all variables.
func Variables() []string {
	params, err := env.GetFieldParamsWithOptions(&Config{}, env.Options{Prefix: Prefix, Environment: map[string]string{}})
	if err != nil {
		panic(err) // the type's own tags
	}
	out := make([]string, 0, len(params))
	for _, p := range params {
		out = append(out, p.Key)
	}
	return out
}

func or[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}

func (c *Config) defaults() {
	c.Domain = strings.ToLower(c.Domain)
	if len(c.Services) == 0 {
		for _, s := range route.Services() {
			c.Services = append(c.Services, string(s))
		}
	}
	or(&c.Listen.Address, ":8443")
	or(&c.Listen.Operations, "127.0.0.1:8445")
	if c.Domain != "" {
		or(&c.Operators.Host, "op."+c.Domain)
	}
	or(&c.Operators.UsernameClaim, "sub")
	or(&c.Operators.GroupsClaim, "groups")
	or(&c.Internal.TrustDomain, c.Domain)
	or(&c.Limits.RequestsPerSecond, 50)
	or(&c.Limits.Burst, 100)
	or(&c.Limits.Concurrent, 32)
	or(&c.Limits.Operations, 8)
	or(&c.StopWithin, 30*time.Second)
	if c.Whole() {
		for _, address := range []*string{&c.Internal.Identity, &c.Internal.Control, &c.Internal.Worker, &c.Internal.Drift} {
			or(address, "127.0.0.1:0")
		}
	}
}

// Whole reports whether all services run in this process.
func (c Config) Whole() bool {
	for _, s := range route.Services() {
		if !c.Runs(s) {
			return false
		}
	}
	return true
}

// Runs reports whether this process runs a service.
func (c Config) Runs(s route.Service) bool { return slices.Contains(c.Services, string(s)) }

// Address is where a service other than the gateway listens.
func (c Config) Address(s route.Service) string {
	switch s {
	case route.Identity:
		return c.Internal.Identity
	case route.Control:
		return c.Internal.Control
	case route.Worker:
		return c.Internal.Worker
	case route.Drift:
		return c.Internal.Drift
	default:
		return c.Listen.Address
	}
}

// check returns all that is wrong.
func (c Config) check() error {
	var errs []error
	wrong := func(field, problem string, args ...any) {
		errs = append(errs, fmt.Errorf("%w: %s: %s", ErrInvalid, field, fmt.Sprintf(problem, args...)))
	}
	if c.Domain == "" || strings.Trim(c.Domain, ".") != c.Domain || !edge.IsHostName(c.Domain) {
		wrong("domain", "%q must be a host name such as freehold.example.com", c.Domain)
	}
	for _, s := range c.Services {
		if !slices.Contains(route.Services(), route.Service(s)) {
			wrong("services", "%q is not a service; want some of gateway, identity, control, worker, drift", s)
		}
	}
	if c.Domain != "" && !edge.IsHostName(c.Operators.Host) {
		wrong("operators.host", "%q must be a host name", c.Operators.Host)
	}
	if label, below := strings.CutSuffix(c.Operators.Host, "."+c.Domain); below && !strings.Contains(label, ".") && len(label) > 2 {
		wrong("operators.host", "%s could be the host of an org named %s; use a label of one or two characters, or another domain", c.Operators.Host, label)
	}
	if u, err := url.Parse(c.Operators.IssuerURL); c.Operators.IssuerURL != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "") {
		wrong("operators.issuerUrl", "must be https, without a user, a query or a fragment")
	}
	if u, err := url.Parse(c.TrialIssuer); c.TrialIssuer != "" && (err != nil || u.Scheme != "https" || u.Hostname() != "localhost" || u.Port() == "" || u.Path != "") {
		wrong("trialIssuer", "%q must be https://localhost:PORT: nobody else may reach it", c.TrialIssuer)
	}
	for _, p := range c.Listen.Proxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			wrong("listen.proxies", "%q must be a range such as 10.0.0.0/24", p)
		}
	}
	switch files := (c.TLS.Certificate != "") != (c.TLS.Key != ""); {
	case files:
		wrong("tls", "certificate and key go together")
	case c.Runs(route.Gateway) && c.TLS.Certificate == "" && c.TLS.ACME.Email == "":
		wrong("tls", "name the files of a certificate and its key, or an e-mail address for ACME")
	case c.TLS.Certificate != "" && c.TLS.ACME.Email != "":
		wrong("tls", "want files or acme, not both")
	}
	if c.Internal.WorkloadAPI != "" && c.Internal.IssuerFolder != "" {
		wrong("internal", "want workloadApi or issuerFolder, not both")
	}
	if !c.Whole() {
		for _, s := range []route.Service{route.Identity, route.Control, route.Worker, route.Drift} {
			if a, err := netip.ParseAddrPort(c.Address(s)); c.Address(s) == "" || err == nil && a.Port() == 0 {
				wrong("internal."+string(s), "say at which address the service listens: not all services run in this process")
			}
		}
	}
	if c.Limits.RequestsPerSecond < 0 || c.Limits.Burst < 1 || c.Limits.Concurrent < 1 || c.Limits.Operations < 1 {
		wrong("limits", "must be greater than 0")
	}
	return errors.Join(errs...)
}

// Trial is the configuration of "freehold serve --sandbox", where neither a file nor
// a variable says otherwise.
func Trial(home string) Config {
	return Config{
		Domain:    "freehold.localhost",
		Listen:    Listen{Address: "127.0.0.1:8443"},
		TLS:       TLS{Certificate: filepath.Join(home, "tls.pem"), Key: filepath.Join(home, "tls.key")},
		Operators: Operators{UsernameClaim: "email", OperatorGroups: []string{"operators"}},
		// The documents in docs/examples name it.
		TrialIssuer: "https://localhost:8444",
	}
}

// Tried returns the configuration with the identity providers for trying as those of
// the operators and of "freehold login", where nothing else is configured.
func (c Config) Tried() Config {
	or(&c.Operators.IssuerURL, c.TrialIssuer+"/op")
	if c.Login == (Login{}) {
		c.Login = Login{Orgs: c.TrialIssuer + "/{org}", Operators: c.TrialIssuer + "/op"}
	}
	return c
}
