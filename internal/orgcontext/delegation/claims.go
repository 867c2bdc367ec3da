package delegation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spiffe/go-spiffe/v2/spiffeid"

	"freehold.dev/freehold/internal/orgcontext"
)

// The headers of a request between services. A gateway deletes them from what
// comes from outside.
const (
	ContextHeader = "Freehold-Context"
	// OrgHeader repeats the org, for logs and for whoever routes. It is compared
	// with the token and never read as a source. A fleet's request has none.
	OrgHeader = "Freehold-Org"
)

// MaxLife is the longest that a token may be good for, and Skew how far the
// clocks of two services may be apart.
const (
	MaxLife = time.Minute
	Skew    = 5 * time.Second
)

// maxActors bounds through how many services a request may go.
const maxActors = 4

// The roles. A person or workload of an org has some of OrgRoles, an operator
// some of FleetRoles, and nobody has some of both.
var (
	OrgRoles   = []string{"viewer", "pipeline", "operator", "admin", "controller"}
	FleetRoles = []string{"fleet-viewer", "fleet-operator"}
)

// Claims are what the identity service says of a request.
type Claims struct {
	Org   string // "" for the fleet
	Fleet bool
	// Subject is who asks: "user:<iss>#<sub>", "workload:<iss>#<sub>" or
	// "service:<SPIFFE id>". Name is what people know it by, such as an e-mail
	// address, as its issuer says it; it may be empty, and decides nothing.
	Subject, Name string
	Roles         []string
	// Act are the SPIFFE ids of those through whom the request came, the newest
	// first: it is the one that presents the token.
	Act []string
	// Audience is the SPIFFE id of the one service that may take the token.
	Audience string
	// Request is what the request is known by, in every log.
	Request string
	// Host is the name by which the client called Freehold, "" if no client did.
	Host            string
	Issued, Expires time.Time
}

// Actor is how an audit log names who asks. The name is quoted: its issuer chose
// it, and it must not pass for a subject.
func (c Claims) Actor() string {
	if c.Name == "" {
		return c.Subject
	}
	return fmt.Sprintf("%s %q", c.Subject, c.Name)
}

// check reports what is wrong with claims, whoever made them.
func (c Claims) check() error {
	var roles []string
	switch {
	case c.Fleet && c.Org != "":
		return errors.New("it is for an org and for the fleet")
	case c.Fleet:
		roles = FleetRoles
	case !orgcontext.IsName(c.Org):
		return fmt.Errorf("%q is not the name of an org", c.Org)
	default:
		roles = OrgRoles
	}
	for i, r := range c.Roles {
		if !slices.Contains(roles, r) {
			return fmt.Errorf("role %q does not exist there", r)
		}
		if slices.Contains(c.Roles[:i], r) {
			return fmt.Errorf("role %q is given twice", r)
		}
	}
	// A client of an org calls it by its host. The operators' host is configured.
	if c.Host != "" && !c.Fleet && !strings.HasPrefix(c.Host, c.Org+".") {
		return fmt.Errorf("host %q does not belong to org %s", c.Host, c.Org)
	}
	if !oneOf(c.Subject, "user:", "workload:", "service:") || !plain(c.Subject, 1024) {
		return fmt.Errorf("%q is not a subject", c.Subject)
	}
	if !plain(c.Name, 320) || !plain(c.Host, 255) {
		return errors.New("its name or host is too long, or not text")
	}
	if c.Request == "" || !plain(c.Request, 128) {
		return errors.New("it has no usable request id")
	}
	if len(c.Act) == 0 || len(c.Act) > maxActors {
		return fmt.Errorf("it came through %d services, expected 1 to %d", len(c.Act), maxActors)
	}
	for _, id := range append(slices.Clone(c.Act), c.Audience) {
		if _, err := spiffeid.FromString(id); err != nil {
			return fmt.Errorf("service %q: %w", id, err)
		}
	}
	if life := c.Expires.Sub(c.Issued); life <= 0 || life > MaxLife {
		return fmt.Errorf("it is good for %s, and at most %s is accepted", life, MaxLife)
	}
	return nil
}

// current reports whether the time is within the claims' life, for a clock that
// is a little off.
func (c Claims) current(now time.Time) error {
	switch {
	case now.Add(Skew).Before(c.Issued):
		return fmt.Errorf("it is good from %s, and it is %s", c.Issued.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	case !now.Add(-Skew).Before(c.Expires):
		return fmt.Errorf("it ended at %s, and it is %s", c.Expires.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	default:
		return nil
	}
}

func oneOf(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) && len(s) > len(p) })
}

// plain reports whether a text can be written on one line of a log.
func plain(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}
