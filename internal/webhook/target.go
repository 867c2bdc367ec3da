package webhook

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

var (
	// ErrTarget is wrapped by a URL that no event can be sent to.
	ErrTarget = errors.New("invalid webhook URL")
	// ErrRefused is wrapped when a target is not public, and nobody has allowed
	// its host by name.
	ErrRefused = errors.New("refused")
)

// Hosts are the names of hosts that the operator allows to have any address, and
// to be reached without TLS: "hooks.internal", or "hooks.internal:8443" for that
// port alone.
type Hosts []string

var hostname = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]*[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

// ParseHosts reads names as they were typed.
func ParseHosts(names []string) (Hosts, error) {
	var out Hosts
	for _, typed := range names {
		host, port, err := net.SplitHostPort(typed)
		if err != nil { // it has no port
			host = typed
		}
		if host = plain(host); !named(host) || err == nil && !tcpPort(port) {
			return nil, fmt.Errorf("allowed host %q: want a host name, or one with a port", typed)
		}
		if err == nil {
			host = net.JoinHostPort(host, port)
		}
		out = append(out, host)
	}
	return out, nil
}

// named reports whether host is a host name or an address.
func named(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || hostname.MatchString(host)
}

func tcpPort(port string) bool {
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// plain is a host as it is compared.
func plain(host string) string {
	return strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
}

func (h Hosts) allow(host, port string) bool {
	host = plain(host)
	return slices.Contains(h, host) || slices.Contains(h, net.JoinHostPort(host, port))
}

// CheckURL refuses what cannot be a target, whatever its name leads to. Where
// that is, is seen whenever something is sent.
func CheckURL(raw string, allowed Hosts) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		// The error repeats the URL, which may have a password in it.
		return nil, fmt.Errorf("%w: it cannot be parsed", ErrTarget)
	}
	host, port := plain(u.Hostname()), portOf(u)
	switch {
	case len(raw) > 2048:
		return nil, fmt.Errorf("%w: it is longer than 2048 characters", ErrTarget)
	case u.Scheme != "https" && u.Scheme != "http" || host == "":
		return nil, fmt.Errorf("%w: want https://HOST/PATH", ErrTarget)
	case u.User != nil:
		return nil, fmt.Errorf("%w: it holds a user or a password, which would be stored; the signature says who sends", ErrTarget)
	case u.Fragment != "" || u.RawFragment != "":
		return nil, fmt.Errorf("%w: it has a fragment (#), which is never sent", ErrTarget)
	case !named(host):
		return nil, fmt.Errorf("%w: host %q is not a host name; write an international one in its xn-- form", ErrTarget, host)
	case !tcpPort(port):
		return nil, fmt.Errorf("%w: %s is not a port", ErrTarget, port)
	case allowed.allow(host, port):
		return u, nil
	case u.Scheme == "http":
		return nil, fmt.Errorf("%w: want https; only a host that is allowed by name is reached without TLS", ErrTarget)
	}
	if err := public(host); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTarget, err)
	}
	return u, nil
}

// portOf is the port that a URL leads to.
func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	default:
		return "443"
	}
}

// public refuses hosts of which nobody has to be asked where they are.
func public(host string) error {
	if ip, err := netip.ParseAddr(host); err == nil {
		return refuse(ip)
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	switch {
	// RFC 6761: it is this machine's, whoever is asked.
	case last == "localhost":
		return fmt.Errorf("%w: %s is this machine", ErrRefused, host)
	// Some resolvers take 2130706433, 0x7f.1 and 127.1 for addresses.
	case last[0] >= '0' && last[0] <= '9':
		return fmt.Errorf("%w: %s is neither a name nor an address", ErrRefused, host)
	}
	return nil
}

// guardian knows the special addresses of IANA's registries. Of IPv6 it lets
// through what is global unicast and not special, so neither an address that
// maps IPv4 nor one of NAT64.
var guardian = ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(
	// Azure's host answers every machine at it, though the address is public:
	// https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
	netip.MustParsePrefix("168.63.129.16/32"),
))

func refuse(ip netip.Addr) error {
	if err := guardian.SafeAddr(ip); err != nil {
		return fmt.Errorf("%w: %s is not a public address", ErrRefused, ip)
	}
	return nil
}

// control is a net.Dialer's: it sees the address of each connection before it is made.
func control(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return fmt.Errorf("%w: %s %s is no address of TCP", ErrRefused, network, address)
	}
	return refuse(to.Addr())
}
