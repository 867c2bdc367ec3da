package localhost

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are drawn below those that a system gives to connections and to whoever
// listens at port 0: from 32768 on Linux, from 49152 elsewhere (RFC 6335, section 6).
const firstPort, afterLastPort = 10000, 30000

var drawn sync.Map // the ports that this process has drawn

// FreePort returns a port of 127.0.0.1 that nobody listens at, for a server that
// takes no port 0. It is the caller's alone in this process. A connection that
// somebody makes meanwhile does not take it, as it could take one that a listener at
// port 0 had and gave up. Another program that wants this very port can.
func FreePort() (int, error) {
	const tries = 1000
	var last error
	for range tries {
		port := firstPort + rand.IntN(afterLastPort-firstPort)
		if _, taken := drawn.LoadOrStore(port, true); taken {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			last = err
			continue
		}
		return port, l.Close()
	}
	return 0, errors.Join(errors.New("no free port of the loopback"), last)
}
