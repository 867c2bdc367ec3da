package localhost_test

import (
	"net"
	"strconv"
	"testing"

	"freehold.dev/freehold/internal/localhost"
)

// A port that listening at 0 gives is one that any later connection may take.
func TestAFreePortIsNoneThatTheSystemGivesAway(t *testing.T) {
	t.Parallel()
	seen := map[int]bool{}
	for range 200 {
		port, err := localhost.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if port < 1024 || port >= 32768 || seen[port] {
			t.Fatalf("port %d, drawn before: %t", port, seen[port])
		}
		seen[port] = true
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			t.Fatalf("port %d: %v", port, err)
		}
		defer l.Close()
	}
}

// Who restarts servers for months draws more ports than there are.
func TestFreePortsDoNotRunOut(t *testing.T) {
	t.Parallel()
	for n := range 25_000 {
		if _, err := localhost.FreePort(); err != nil {
			t.Fatalf("after %d ports: %v", n, err)
		}
	}
}
