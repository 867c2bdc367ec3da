package edge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/orgcontext"
)

// Hosts decides which host a request addresses. There is one value per server,
// and its Handler stands in front of routing, authentication and everything
// else that could depend on a host name.
type Hosts struct {
	// Base is the domain that orgs live under: acme's host is acme.Base.
	Base string
	// Operators is the host of the vendor's operators. It never names an org.
	Operators string
	// Port is the only port that a request's host may name; naming none is
	// always allowed.
	Port int
	// Proxies are the peers whose forwarding headers are believed.
	Proxies []netip.Prefix
}

// Host is the host that a request addresses.
type Host struct {
	Name string // canonical: lower case, no port
	Org  string // "" on the operators' host
}

// Reason says why a request was refused before anybody looked at its path or
// its token. It is for logs and metrics; the client never sees it.
type Reason string

// The reasons of a RefusedError.
const (
	NoHost          Reason = "no-host"          // HTTP/1.0, or an empty :authority
	HostSyntax      Reason = "host-syntax"      // not a DNS name in ASCII
	HostPort        Reason = "host-port"        // another port
	HostUnknown     Reason = "host-unknown"     // neither an org's host nor the operators'
	HostAmbiguous   Reason = "host-ambiguous"   // :authority and a Host header that differs
	TargetForm      Reason = "target-form"      // the request target is not a path
	TLSNameMismatch Reason = "tls-name-differs" // no SNI, or another host's
)

// RefusedError is the error of a request whose host was refused.
type RefusedError struct {
	Status int // 400 or 421
	Reason Reason
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("host refused with %d: %s", e.Status, e.Reason)
}

// maxHost is the longest DNS name in text form (RFC 1035, section 2.3.4).
const maxHost = 253

// Check reports a configuration under which a host could be read in two ways.
func (h Hosts) Check() error {
	var problems []error
	for _, f := range []struct{ field, name string }{{"base domain", h.Base}, {"operators' host", h.Operators}} {
		last := f.name[strings.LastIndexByte(f.name, '.')+1:]
		if !IsHostName(f.name) || !strings.Contains(f.name, ".") || strings.Trim(last, "0123456789") == "" {
			problems = append(problems, fmt.Errorf("%s %q must be a lower-case DNS name with at least two labels", f.field, f.name))
		}
	}
	if label, under := strings.CutSuffix(h.Operators, "."+h.Base); under && orgcontext.IsName(label) {
		problems = append(problems, fmt.Errorf("operators' host %q is also the host of an org called %q; choose a label that cannot be an org, such as op", h.Operators, label))
	}
	if h.Port < 0 || h.Port > 65535 {
		problems = append(problems, fmt.Errorf("port %d is out of range", h.Port))
	}
	return errors.Join(problems...)
}

// Canonical returns the host that r addresses, or a *RefusedError. It depends on
// nothing but r and h, and an org in its answer has the form of an org's name;
// whether there is such an org is not known here.
//
// Go's server leaves all of this to the handler. It accepts HTTP/2 requests
// whose Host header names another host than :authority does
// (https://github.com/golang/go/issues/80065), hosts in any case, with any port
// or a trailing dot, and any host on a connection that was opened for another.
func (h Hosts) Canonical(r *http.Request) (Host, error) {
	// An absolute request target overrides the Host header, which Go then drops
	// without comparing the two. No client of the API sends one, so every form
	// but a path is refused: absolute, authority (CONNECT) and asterisk.
	if !strings.HasPrefix(r.RequestURI, "/") || r.Method == http.MethodConnect || r.URL == nil || r.URL.Host != "" {
		return Host{}, &RefusedError{http.StatusBadRequest, TargetForm}
	}
	// Over HTTP/1 Go has removed the header. Over HTTP/2 it is there if the
	// client sent one beside :authority.
	for _, other := range r.Header["Host"] {
		if other != r.Host {
			return Host{}, &RefusedError{http.StatusBadRequest, HostAmbiguous}
		}
	}
	host, reason := h.parse(r.Host)
	if reason != "" {
		return Host{}, &RefusedError{http.StatusBadRequest, reason}
	}
	// A browser or a proxy reuses a connection for every host that the wildcard
	// certificate covers. 421 makes it open one for this host (RFC 9110,
	// section 15.5.20).
	if r.TLS == nil || lower(r.TLS.ServerName) != host.Name {
		return Host{}, &RefusedError{http.StatusMisdirectedRequest, TLSNameMismatch}
	}
	return host, nil
}

// parse reads the text of a host, or says what is wrong with it.
func (h Hosts) parse(text string) (Host, Reason) {
	if text == "" {
		return Host{}, NoHost
	}
	name, port, named := strings.Cut(text, ":")
	if named && (h.Port == 0 || port != strconv.Itoa(h.Port)) {
		return Host{}, HostPort
	}
	name = lower(name)
	if !IsHostName(name) {
		return Host{}, HostSyntax
	}
	if name == h.Operators {
		return Host{Name: name}, ""
	}
	// An org's name has no dot, so that this is exactly one label, and no two
	// hyphens in a row, so that it is never an IDN (xn--).
	org, under := strings.CutSuffix(name, "."+h.Base)
	if !under || !orgcontext.IsName(org) {
		return Host{}, HostUnknown
	}
	return Host{Name: name, Org: org}, ""
}

// IsHostName reports whether name is a DNS name in lower-case ASCII without a
// trailing dot. It lets IP addresses in version 4 pass, which are no host of ours.
func IsHostName(name string) bool {
	if name == "" || len(name) > maxHost {
		return false
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return true
}

// lower folds ASCII alone. strings.ToLower would make an ASCII k of U+212A, the
// Kelvin sign, and so another host of a name that is not ASCII.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

type hostKey struct{}

// Handler refuses every request whose host is not canonical, and gives next
// those that are left: with their host in the context, r.Host in lower case, and
// no header that could name another host, another peer or another caller.
func (h Hosts) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, err := h.Canonical(r)
		if err != nil {
			refuse(w, r, err)
			return
		}
		RecordOf(r.Context()).Org = host.Org
		// The port stays: browsers send it in Origin, which is compared with r.Host.
		r.Host = lower(r.Host)
		h.cleanHeaders(r)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), hostKey{}, host)))
	})
}

// HostOf returns the host that Handler put into the context. Nothing else may
// be asked which host, and so which org, a request addresses.
func HostOf(ctx context.Context) (Host, bool) {
	h, ok := ctx.Value(hostKey{}).(Host)
	return h, ok
}

// bodies are the whole of what an outsider learns of a refused host.
var bodies = map[int]string{
	http.StatusBadRequest:         "bad request\n",
	http.StatusMisdirectedRequest: "misdirected request\n",
}

func refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusBadRequest
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		status = refused.Status
		record := RecordOf(r.Context())
		record.Decision, record.Reason = Misaddressed, string(refused.Reason)
	}
	// Whatever else is on this connection comes from the same client, and over
	// HTTP/1 the rest of a refused body would have to be read first.
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(bodies[status]))
}
