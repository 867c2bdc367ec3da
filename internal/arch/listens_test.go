package arch

import (
	"strings"
	"testing"
)

// listeners are the files of the product that listen by themselves, and why who
// connects need not be this user. Everything else listens by localhost.Listen, which
// hears nobody else on this machine.
var listeners = map[string]string{
	"internal/localhost/listen.go":                "it is how everybody listens",
	"internal/localhost/ports.go":                 "it only looks whether a port is free",
	"internal/localhost/owner_linux.go":           "it connects to itself, to see whether the kernel says who does",
	"internal/server/parts.go":                    "the API and the identity providers of a trial: whoever calls has a token, or may try",
	"internal/server/server.go":                   "services ask each other over mutual TLS, and health and metrics are for a monitor of another user",
	"internal/remote/session/login.go":            "a browser may run as another user; what it brings is checked by the state and the verifier of the login",
	"internal/sandbox/controlplane/manager.go":    "it only looks whether a port is free",
	"internal/sandbox/controlplane/supervisor.go": "API servers of the sandbox ask who calls, as any API server does",
}

func TestOnlyThisUserIsHeardOnTheLoopback(t *testing.T) {
	listens := func(of, name string) bool {
		return of == "net" && strings.HasPrefix(name, "Listen") && name != "Listener" ||
			strings.HasPrefix(name, "ListenAndServe") || of == "rpcutil" && strings.HasPrefix(name, "Serve")
	}
	forTests := func(file string) bool {
		return strings.HasPrefix(file, "internal/conformance/") || strings.HasPrefix(file, "internal/engine/enginetest/")
	}
	onlyListed(t, listeners, listens, forTests, "listen by localhost.Listen, which hears this user alone")
}
