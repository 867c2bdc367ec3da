package mtls

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

const domain = "freehold.example"

// hand is a clock that a test sets.
type hand struct {
	mu sync.Mutex
	at time.Time
}

func newHand() *hand { return &hand{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (h *hand) now() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.at }

func (h *hand) pass(d time.Duration) { h.mu.Lock(); defer h.mu.Unlock(); h.at = h.at.Add(d) }

func builtin(t *testing.T, dir, service string, now func() time.Time) Source {
	t.Helper()
	s, err := BuiltIn(dir, domain, service, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func svid(t *testing.T, s Source) *x509svid.SVID {
	t.Helper()
	v, err := s.GetX509SVID()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// trusts fails the test unless s accepts what other shows.
func trusts(t *testing.T, s, other Source, now time.Time) {
	t.Helper()
	if _, _, err := x509svid.Verify(svid(t, other).Certificates, s, x509svid.WithTime(now)); err != nil {
		t.Fatalf("at %s: %v", now, err)
	}
}

func TestAnSVIDIsRenewedAfterHalfOfItsLife(t *testing.T) {
	clock := newHand()
	s := builtin(t, filepath.Join(t.TempDir(), "issuer"), "control", clock.now)
	first := svid(t, s)
	if first.ID != ID(domain, "control") || first.ID.String() != "spiffe://freehold.example/freehold/control" {
		t.Errorf("the SVID is that of %s", first.ID)
	}
	if life := first.Certificates[0].NotAfter.Sub(clock.now()); life != time.Hour {
		t.Errorf("an SVID is good for %s, expected an hour", life)
	}
	clock.pass(svidLife/2 - time.Second)
	if svid(t, s) != first {
		t.Error("an SVID was replaced before half of its life had passed")
	}
	clock.pass(time.Second)
	second := svid(t, s)
	if second == first || !second.Certificates[0].NotAfter.Equal(clock.now().Add(svidLife)) {
		t.Error("an SVID was not replaced when half of its life had passed")
	}
	trusts(t, s, s, clock.now())
}

// Two services of one machine over a year, asked now and then. Each trusts the
// other at every moment, and no authority of half a year ago is left.
func TestAuthoritiesFollowEachOtherWithoutAGap(t *testing.T) {
	clock := newHand()
	dir := filepath.Join(t.TempDir(), "issuer")
	one, two := builtin(t, dir, "gateway", clock.now), builtin(t, dir, "control", clock.now)
	first := bundle(t, one)
	signers := map[string]bool{}
	const step = 7 * time.Hour
	for range int(365 * 24 * time.Hour / step) {
		clock.pass(step)
		trusts(t, one, two, clock.now())
		trusts(t, two, one, clock.now())
		signers[svid(t, one).Certificates[0].Issuer.SerialNumber] = true
		if n := len(bundle(t, one)); n > 3 {
			t.Fatalf("the bundle holds %d authorities", n)
		}
	}
	if len(signers) < 20 {
		t.Errorf("%d authorities signed in a year of halves of %s", len(signers), authorityLife)
	}
	for _, old := range first {
		for _, left := range bundle(t, one) {
			if old == left {
				t.Error("the first authority is still trusted a year later")
			}
		}
	}
	all, err := folder{dir: dir, td: spiffeid.RequireTrustDomainFromString(domain)}.read()
	if err != nil {
		t.Fatal(err)
	}
	keys := 0
	for _, a := range all {
		if a.key != nil {
			keys++
		}
	}
	if keys > 2 {
		t.Errorf("%d keys are kept: one signs, and one will", keys)
	}
}

// A process that stood still keeps what it has read for recheck at most, and a
// new authority waits for longer than that before it signs.
func TestANewAuthorityIsTrustedBeforeItSigns(t *testing.T) {
	clock := newHand()
	dir := filepath.Join(t.TempDir(), "issuer")
	one, two := builtin(t, dir, "gateway", clock.now), builtin(t, dir, "control", clock.now)
	clock.pass(authorityLife/2 + time.Minute)
	before := svid(t, one).Certificates[0].Issuer.SerialNumber
	if n := len(bundle(t, one)); n != 2 {
		t.Fatalf("the bundle holds %d authorities when half of the first one's life has passed, expected 2", n)
	}
	clock.pass(overlap - 2*time.Minute)
	if after := svid(t, one).Certificates[0].Issuer.SerialNumber; after != before {
		t.Error("the new authority signed before everybody has seen it")
	}
	bundle(t, two)
	clock.pass(3 * time.Minute)
	clock.pass(svidLife)
	if after := svid(t, one).Certificates[0].Issuer.SerialNumber; after == before {
		t.Error("the new authority does not sign")
	}
	trusts(t, two, one, clock.now())
}

func bundle(t *testing.T, s Source) []string {
	t.Helper()
	b, err := s.GetX509BundleForTrustDomain(spiffeid.RequireTrustDomainFromString(domain))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, c := range b.X509Authorities() {
		out = append(out, c.Subject.SerialNumber)
	}
	return out
}

func TestProcessesThatStartTogetherMakeOneAuthority(t *testing.T) {
	clock := newHand()
	dir := filepath.Join(t.TempDir(), "issuer")
	var all [8]Source
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() {
			s, err := BuiltIn(dir, domain, "gateway", clock.now)
			if err != nil {
				t.Error(err)
				return
			}
			all[i] = s
		})
	}
	wg.Wait()
	if t.Failed() {
		t.FailNow()
	}
	for _, s := range all {
		if b := bundle(t, s); len(b) != 1 {
			t.Fatalf("there are %d authorities", len(b))
		}
		trusts(t, all[0], s, clock.now())
	}
}

func TestAnSVIDIsGivenOutWhileTheFolderIsAway(t *testing.T) {
	clock := newHand()
	dir := filepath.Join(t.TempDir(), "issuer")
	s := builtin(t, dir, "control", clock.now)
	first := svid(t, s)
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	clock.pass(svidLife - time.Minute)
	if svid(t, s) != first {
		t.Error("another SVID came from nowhere")
	}
	trusts(t, s, s, clock.now())
	clock.pass(2 * time.Minute)
	if _, err := s.GetX509SVID(); err == nil {
		t.Error("an SVID was given out after its end")
	}
	if err := os.Rename(dir+".away", dir); err != nil {
		t.Fatal(err)
	}
	trusts(t, s, s, clock.now())
}

func TestTheFolderIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		want  string
	}{
		"if others can enter it": {func(t *testing.T, dir string) { chmod(t, dir, 0o755) }, "others than its owner can become any service"},
		"if a group can read the keys": {func(t *testing.T, dir string) {
			chmod(t, filepath.Join(dir, "authorities.pem"), 0o640)
		}, "others than its owner can become any service"},
		"if the file was cut short": {func(t *testing.T, dir string) {
			file := filepath.Join(dir, "authorities.pem")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, text[:len(text)/2], 0o600); err != nil {
				t.Fatal(err)
			}
		}, "damaged"},
		"if the file is empty": {func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, "authorities.pem"), 0); err != nil {
				t.Fatal(err)
			}
		}, "damaged"},
		"if it is a link to another": {func(t *testing.T, dir string) {
			if err := os.Rename(dir, dir+".real"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(dir+".real", dir); err != nil {
				t.Fatal(err)
			}
		}, "symbolic link"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := newHand()
			dir := filepath.Join(t.TempDir(), "issuer")
			builtin(t, dir, "control", clock.now)
			c.spoil(t, dir)
			if _, err := BuiltIn(dir, domain, "control", clock.now); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, expected an error with %q", err, c.want)
			}
		})
	}
}

func TestAFolderServesOneTrustDomain(t *testing.T) {
	clock := newHand()
	dir := filepath.Join(t.TempDir(), "issuer")
	s := builtin(t, dir, "control", clock.now)
	if _, err := BuiltIn(dir, "other.example", "control", clock.now); err == nil || !strings.Contains(err.Error(), "another trust domain") {
		t.Errorf("another trust domain got %v", err)
	}
	if _, err := s.GetX509BundleForTrustDomain(spiffeid.RequireTrustDomainFromString("other.example")); err == nil {
		t.Error("there is a bundle for another trust domain")
	}
}

func TestAnAuthoritySignsNothingButItsTrustDomain(t *testing.T) {
	clock := newHand()
	a, err := newAuthority(spiffeid.RequireTrustDomainFromString(domain), clock.now())
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := a.issue(ID("other.example", "control"), clock.now())
	if err != nil {
		t.Fatal(err)
	}
	pool := rootsOf(a.cert)
	if _, err := foreign.Certificates[0].Verify(optionsAt(pool, clock.now())); err == nil {
		t.Error("an SVID of another trust domain is accepted")
	}
	own, err := a.issue(ID(domain, "control"), clock.now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := own.Certificates[0].Verify(optionsAt(pool, clock.now())); err != nil {
		t.Error(err)
	}
}

func TestATrustDomainIsANameAlone(t *testing.T) {
	for name, ok := range map[string]bool{
		"freehold.example": true, "localhost": true, "": false, "Freehold.example": false, "spiffe://freehold.example": false,
		"freehold.example/freehold": false, "spiffe://freehold.example/x": false, "a b": false, "127.0.0.1": false,
	} {
		if err := CheckTrustDomain(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func chmod(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}
