package edge

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"freehold.dev/freehold/internal/server/edge/edgetest"
)

// reached serves h over TLS, HTTP/1 and HTTP/2, and answers with the host that
// the handler behind it found.
func reached(t *testing.T, h Hosts) (addr string, roots *x509.CertPool) {
	t.Helper()
	ca := edgetest.NewCA(t)
	server := httptest.NewUnstartedServer(h.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, ok := HostOf(r.Context())
		fmt.Fprintf(w, "%v %s %s %s", ok, host.Org, host.Name, r.Host)
	})))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{Certificates: []tls.Certificate{ca.Certificate(t, "*."+base)}}
	server.Config.ErrorLog = edgetest.Quiet()
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), ca.Pool()
}

func dial(t *testing.T, addr string, roots *x509.CertPool, sni, protocol string) net.Conn {
	t.Helper()
	c := &tls.Config{RootCAs: roots, ServerName: sni, NextProtos: []string{protocol}}
	if sni == "" {
		c.InsecureSkipVerify = true // what a client without SNI has to do
	}
	conn, err := tls.Dial("tcp", addr, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// h1 sends bytes and returns the status and the body of the answer.
func h1(t *testing.T, conn net.Conn, request string) string {
	t.Helper()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(resp.StatusCode, " ", string(body))
}

// h2 sends one request with exactly these fields.
func h2(t *testing.T, conn net.Conn, fields ...string) string {
	t.Helper()
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		if err := encoder.WriteField(hpack.HeaderField{Name: name, Value: value}); err != nil {
			t.Fatal(err)
		}
	}
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	if err := framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true}); err != nil {
		t.Fatal(err)
	}
	status := ""
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			status = f.PseudoValue("status") + " "
		case *http2.DataFrame:
			status += string(f.Data())
		case *http2.RSTStreamFrame:
			return f.ErrCode.String()
		case *http2.GoAwayFrame:
			return "GOAWAY " + f.ErrCode.String()
		}
		if frame.Header().StreamID == 1 && frame.Header().Flags.Has(http2.FlagDataEndStream) {
			return status
		}
	}
}

func TestHostsOnTheWire(t *testing.T) {
	addr, roots := reached(t, hosts)
	const (
		acme, globex = "acme." + base, "globex." + base
		ok           = "200 true acme " + acme + " " + acme
		bad          = "400 bad request\n"
		misdirected  = "421 misdirected request\n"
		malformed    = "400 400 Bad Request: malformed Host header" // by Go's server
	)
	get := func(host string) string { return "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n" }
	for _, c := range []struct {
		reason, sni, request, want string
	}{
		{"an org's host", acme, get(acme), ok},
		{"in upper case", acme, get("ACME.Freehold.Example.COM"), ok},
		{"in upper case in SNI, too", "ACME." + base, get(acme), ok},
		{"with the port", acme, get(acme + ":8443"), ok + ":8443"},
		{"another port", acme, get(acme + ":9443"), bad},
		{"a trailing dot", acme, get(acme + "."), bad},
		{"an empty label", acme, get("acme.." + base), bad},
		{"an underscore", acme, get("a_b." + base), bad},
		{"an encoded dot", acme, get("acme%2e" + base), bad},
		{"IPv6", acme, get("[::1]"), bad},
		{"not ASCII", acme, get("ac\xc3\xa9me." + base), malformed},
		{"a list", acme, get(acme + ", " + globex), malformed},
		{"a user", acme, get("acme@" + globex), malformed},
		{"two Host lines", acme, "GET / HTTP/1.1\r\nHost: " + acme + "\r\nHost: " + globex + "\r\n\r\n", "400 400 Bad Request"},
		{"no Host", acme, "GET / HTTP/1.1\r\n\r\n", "400 400 Bad Request: missing required Host header"},
		{"HTTP/1.0 without Host", acme, "GET / HTTP/1.0\r\n\r\n", bad},
		{"a folded Host", acme, "GET / HTTP/1.1\r\nHost: " + acme + "\r\n ." + globex + "\r\n\r\n", malformed},
		{"an absolute target that Host agrees with", acme, "GET https://" + acme + "/ HTTP/1.1\r\nHost: " + acme + "\r\n\r\n", bad},
		{"an absolute target that overrides Host", acme, "GET https://" + acme + "/ HTTP/1.1\r\nHost: " + globex + "\r\n\r\n", bad},
		{"an absolute target that Host overrides", acme, "GET https://" + globex + "/ HTTP/1.1\r\nHost: " + acme + "\r\n\r\n", bad},
		{"an absolute target without a host", acme, "GET https:///x HTTP/1.1\r\nHost: " + acme + "\r\n\r\n", bad},
		{"a path that looks like a host", acme, "GET //" + globex + "/ HTTP/1.1\r\nHost: " + acme + "\r\n\r\n", ok},
		{"a tunnel", acme, "CONNECT " + acme + ":8443 HTTP/1.1\r\nHost: " + acme + ":8443\r\n\r\n", bad},
		{"a tunnel to a path", acme, "CONNECT / HTTP/1.1\r\nHost: " + acme + "\r\n\r\n", bad},
		// The server itself answers this one, without asking a handler.
		{"an asterisk", acme, "OPTIONS * HTTP/1.1\r\nHost: " + acme + "\r\n\r\n", "200 "},
		{"another org's connection", globex, get(acme), misdirected},
		{"a connection without SNI", "", get(acme), misdirected},
	} {
		t.Run("HTTP1, "+c.reason, func(t *testing.T) {
			if got := h1(t, dial(t, addr, roots, c.sni, "http/1.1"), c.request); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	h2Get := []string{":method=GET", ":scheme=https", ":path=/"}
	for _, c := range []struct {
		reason, sni string
		fields      []string
		want        string
	}{
		{"an org's host", acme, append(h2Get[:3:3], ":authority="+acme), ok},
		{"the same in Host", acme, append(h2Get[:3:3], ":authority="+acme, "host="+acme), ok},
		{"in Host alone", acme, append(h2Get[:3:3], "host="+acme), ok},
		{"Host differs", acme, append(h2Get[:3:3], ":authority="+acme, "host="+globex), bad},
		{":authority differs", acme, append(h2Get[:3:3], ":authority="+globex, "host="+acme), bad},
		{"Host differs in case", acme, append(h2Get[:3:3], ":authority="+acme, "host=ACME."+base), bad},
		{"two Host fields, one right", acme, append(h2Get[:3:3], ":authority="+acme, "host="+acme, "host="+globex), bad},
		{"two Host fields alone", acme, append(h2Get[:3:3], "host="+acme, "host="+globex), bad},
		{"another org's connection", acme, append(h2Get[:3:3], ":authority="+globex), misdirected},
		{"a connection without SNI", "", append(h2Get[:3:3], ":authority="+acme), misdirected},
		{"no host", acme, h2Get, bad},
		{"a user", acme, append(h2Get[:3:3], ":authority=acme@"+globex), "PROTOCOL_ERROR"},
		{"two :authority", acme, append(h2Get[:3:3], ":authority="+acme, ":authority="+globex), "PROTOCOL_ERROR"},
		{"an absolute :path", acme, []string{":method=GET", ":scheme=https", ":authority=" + acme, ":path=https://" + globex + "/"}, bad},
		{"a :path without a slash", acme, []string{":method=GET", ":scheme=https", ":authority=" + acme, ":path=" + globex}, "PROTOCOL_ERROR"},
		{"another scheme", acme, []string{":method=GET", ":scheme=http", ":authority=" + acme, ":path=/"}, ok},
		{"a tunnel", acme, []string{":method=CONNECT", ":authority=" + acme}, bad},
	} {
		t.Run("HTTP2, "+c.reason, func(t *testing.T) {
			if got := h2(t, dial(t, addr, roots, c.sni, "h2"), c.fields...); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
