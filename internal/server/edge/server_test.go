package edge

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/server/edge/edgetest"
)

// bounded serves with short bounds, and returns a function that connects over HTTP/1.
func bounded(t *testing.T) func() net.Conn {
	t.Helper()
	b := Bounds{HeaderBytes: 8 << 10, HeaderTime: 200 * time.Millisecond, BodyTime: 200 * time.Millisecond, IdleTime: 200 * time.Millisecond, WriteTime: time.Second, Streams: 10}
	ca := edgetest.NewCA(t)
	// Everything is refused, and no body is read.
	server := b.Server(hosts.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })), slog.New(slog.DiscardHandler), time.Now)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{ca.Certificate(t, "*."+base)}})
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return func() net.Conn { return dial(t, l.Addr().String(), ca.Pool(), "acme."+base, "http/1.1") }
}

func TestWhatAConnectionMayTakeIsBounded(t *testing.T) {
	connect := bounded(t)
	head := "POST / HTTP/1.1\r\nHost: acme." + base + "\r\n"
	// gone reports whether the server ends the connection soon after its answer.
	gone := func(conn net.Conn, r *bufio.Reader) error {
		began := time.Now()
		_, err := io.Copy(io.Discard, r)
		if took := time.Since(began); took > 3*time.Second {
			return fmt.Errorf("it took %s until the connection ended with %w", took, err)
		}
		return nil
	}
	for _, c := range []struct{ reason, sent, status string }{
		{"headers that are too long", head + "Authorization: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", "431 Request Header Fields Too Large"},
		{"headers that do not end", head + "Authorization: ", ""},
		{"a body that does not come", head + "Content-Length: 1000\r\n\r\n{", "401 Unauthorized"},
		{"a chunk that does not come", head + "Transfer-Encoding: chunked\r\n\r\n5\r\n", "401 Unauthorized"},
		{"no further request", head + "Content-Length: 0\r\n\r\n", "401 Unauthorized"},
		{"a request about the server", "OPTIONS * HTTP/1.1\r\nHost: acme." + base + "\r\n\r\n", "400 Bad Request"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			conn := connect()
			if _, err := io.WriteString(conn, c.sent); err != nil {
				t.Fatal(err)
			}
			r := bufio.NewReader(conn)
			if c.status != "" {
				resp, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Fatal(err)
				}
				if resp.Status != c.status {
					t.Errorf("got %s, want %s", resp.Status, c.status)
				}
			}
			if err := gone(conn, r); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Bounds{Connections: 3, PeerConnections: 2}.Listener(inner, []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")})
	t.Cleanup(func() { l.Close() })
	accepted := make(chan net.Conn)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	// from connects, and returns the server's end of it, or nil if it was closed.
	from := func(addr string) net.Conn {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
		conn, err := d.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		closed := make(chan struct{})
		go func() { defer close(closed); _, _ = conn.Read(make([]byte, 1)) }()
		select {
		case server := <-accepted:
			t.Cleanup(func() { server.Close() })
			return server
		case <-closed:
			return nil
		}
	}
	first := from("127.0.0.1")
	if first == nil || from("127.0.0.1") == nil {
		t.Fatal("two connections are too many")
	}
	if from("127.0.0.1") != nil {
		t.Error("a third connection of the same address is open")
	}
	if from("127.0.0.3") == nil {
		t.Error("another address has no connection")
	}
	if from("127.0.0.3") != nil {
		t.Error("there are more connections than may be")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if from("127.0.0.1") == nil {
		t.Error("a connection that was closed still counts")
	}
}
