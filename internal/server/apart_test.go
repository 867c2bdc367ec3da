package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"connectrpc.com/connect/v2"

	freeholdv1 "freehold.dev/freehold/internal/api/freehold/v1"
	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	"freehold.dev/freehold/internal/localhost"
	"freehold.dev/freehold/internal/oidctest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/server/config"
	"freehold.dev/freehold/internal/server/servertest"
)

// apart starts each service as if it was a process of its own, by the configuration
// that docs/deploy/README.md shows.
type apart struct {
	t        *testing.T
	issuer   *oidctest.Issuer
	registry registry.Store
	identity string // folder of the built-in issuer
	internal config.Internal
}

func newApart(t *testing.T) *apart {
	t.Helper()
	issuer := oidctest.Serve(t)
	a := &apart{t: t, issuer: issuer, registry: fleet(t, issuer, "acme"), identity: filepath.Join(t.TempDir(), "spiffe")}
	a.internal = config.Internal{IssuerFolder: a.identity, Identity: freeAddress(t), Control: freeAddress(t), Worker: freeAddress(t), Drift: freeAddress(t)}
	return a
}

// freeAddress is an address that nobody listens at.
func freeAddress(t testing.TB) string {
	t.Helper()
	address, err := localhost.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func (a *apart) start(service string) *servertest.World {
	a.t.Helper()
	records := a.registry
	if service == "gateway" {
		records = fleet(a.t, a.issuer) // it has none of the orgs
	}
	return servertest.Start(a.t, records, servertest.Options{Issuer: a.issuer, Config: func(c *config.Config) {
		c.Services, c.Internal, c.StopWithin = []string{service}, a.internal, time.Second
	}})
}

// asked is how the gateway answers acme's reviewer.
func asked(t *testing.T, gateway *servertest.World) error {
	t.Helper()
	got, err := freeholdv1connect.NewOperationServiceClient(gateway.Client("acme", gateway.Token("acme", "acme-viewers"))).
		ListOperations(t.Context(), &freeholdv1.ListOperationsRequest{})
	if err == nil && got.GetOrg() != "acme" {
		return fmt.Errorf("it is about %q", got.GetOrg())
	}
	return err
}

func TestServicesApartAnswerAsOneAndEachIsReplacedByItself(t *testing.T) {
	a := newApart(t)
	gateway := a.start("gateway")
	if err := asked(t, gateway); connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("without the others: %v, want unavailable", err)
	}
	running := map[string]*servertest.World{}
	for _, name := range []string{"identity", "control", "worker", "drift"} {
		running[name] = a.start(name)
	}
	if err := asked(t, gateway); err != nil {
		t.Fatal(err)
	}
	// As an upgrade does.
	for _, name := range []string{"control", "identity"} {
		running[name].Stop(t)
		if err := asked(t, gateway); connect.CodeOf(err) != connect.CodeUnavailable {
			t.Errorf("without %s: %v, want unavailable", name, err)
		}
		running[name] = a.start(name)
		if err := asked(t, gateway); err != nil {
			t.Errorf("after %s was replaced: %v", name, err)
		}
	}
}

// A backup does not have the folder of the built-in issuer: docs/deploy/README.md
// says that it is made again, and what happens until all services were.
func TestTheFolderOfTheBuiltInIssuerIsMadeAgain(t *testing.T) {
	a := newApart(t)
	start := func() map[string]*servertest.World {
		running := map[string]*servertest.World{}
		for _, name := range []string{"identity", "control", "gateway"} {
			running[name] = a.start(name)
		}
		return running
	}
	running := start()
	if err := asked(t, running["gateway"]); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(a.identity); err != nil {
		t.Fatal(err)
	}
	if err := asked(t, running["gateway"]); err != nil {
		t.Errorf("services that run go on: %v", err)
	}
	running["control"].Stop(t)
	running["control"] = a.start("control")
	if err := asked(t, running["gateway"]); connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("one of them with a new authority: %v, want unavailable", err)
	}
	for _, w := range running {
		w.Stop(t)
	}
	if err := asked(t, start()["gateway"]); err != nil {
		t.Errorf("all of them started again: %v", err)
	}
}
