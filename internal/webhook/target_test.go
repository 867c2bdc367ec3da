package webhook_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/webhook"
)

// names is a name server in memory. It answers the nth question about a name
// with the nth of its answers, and from then on with the last.
type names struct {
	mu      sync.Mutex
	answers map[string][][]string
	asked   map[string]int
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go n.serve(there)
		return here, nil
	}}
}

// serve speaks DNS as over TCP: each message has its length before it.
func (n *names) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	for {
		var size uint16
		if binary.Read(c, binary.BigEndian, &size) != nil {
			return
		}
		raw := make([]byte, size)
		if _, err := io.ReadFull(c, raw); err != nil {
			return
		}
		answer, err := n.answer(raw)
		if err != nil {
			return
		}
		_, err = c.Write(binary.BigEndian.AppendUint16(nil, uint16(len(answer))))
		if err == nil {
			_, err = c.Write(answer)
		}
		if err != nil {
			return
		}
	}
}

func (n *names) answer(raw []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(raw); err != nil {
		return nil, err
	}
	m.Response, m.Authoritative, m.RecursionAvailable, m.Additionals = true, true, true, nil
	q := m.Questions[0]
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.answers[strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))]
	if all == nil {
		m.RCode = dnsmessage.RCodeNameError
		return m.Pack()
	}
	// Of each pair of questions, A and AAAA, the first is as good as the second.
	key := q.Name.String() + q.Type.String()
	now := all[min(n.asked[key], len(all)-1)]
	n.asked[key]++
	for _, text := range now {
		ip := netip.MustParseAddr(text)
		header := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 0}
		switch {
		case q.Type == dnsmessage.TypeA && ip.Is4():
			header.Type = dnsmessage.TypeA
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: ip.As4()}})
		case q.Type == dnsmessage.TypeAAAA && !ip.Is4():
			header.Type = dnsmessage.TypeAAAA
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}})
		}
	}
	return m.Pack()
}

// Of each range of IANA's registries of special addresses one address, of both
// ends where a range is large.
var special = []string{
	"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.254", "100.64.0.1", "100.100.100.200", "100.127.255.254", "127.0.0.1", "127.8.8.8", "169.254.169.254",
	"169.254.170.2", "172.16.0.1", "172.31.255.254", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.254", "198.51.100.7",
	"203.0.113.7", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "168.63.129.16",
	"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808",
	"64:ff9b:1::a00:1", "100::1", "2001::1", "2001:db8::1", "2001:10::1", "2001:20::1", "2002:7f00:1::1", "2002:a00:1::1", "3fff::1", "5f00::1", "fc00::1",
	"fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "4000::1",
}

// What is public, also next to what is not.
var public = []string{
	"1.1.1.1", "9.255.255.255", "11.0.0.1", "93.184.215.14", "100.63.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1", "169.253.255.255", "172.15.255.255",
	"172.32.0.1", "192.167.255.255", "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e",
}

// dialled is a client of which the test sees where it wants to connect to,
// without a connection.
func dialled(t *testing.T, n *names, allowed ...string) (*webhook.Client, func() []string) {
	t.Helper()
	hosts, err := webhook.ParseHosts(allowed)
	if err != nil {
		t.Fatal(err)
	}
	o := webhook.ClientOptions{Allowed: hosts, Timeout: 5 * time.Second}
	if n != nil {
		n.asked = map[string]int{}
		o.Resolver = n.resolver()
	}
	c := webhook.NewClient(o)
	return c, c.Intercept()
}

func send(t *testing.T, c *webhook.Client, url string) webhook.Outcome {
	t.Helper()
	return c.Send(t.Context(), registry.Endpoint{Name: "ci", URL: url, Secret: "env:SECRET"}, secrets(t), registry.Delivery{ID: "op-1", Body: []byte(`{}`)}, time.Unix(1614265330, 0))
}

func TestATargetIsRefusedAtWhateverSpecialAddressItsNameLeadsTo(t *testing.T) {
	t.Parallel()
	for _, ip := range special {
		t.Run(ip, func(t *testing.T) {
			t.Parallel()
			n := &names{answers: map[string][][]string{"hooks.example.com": {{ip}}}}
			c, connected := dialled(t, n)
			out := send(t, c, "https://hooks.example.com/freehold")
			if out.Delivered || !strings.Contains(out.Error, "is not a public address") {
				t.Errorf("by name: %+v, want it refused", out)
			}
			literal := "https://" + ip + "/freehold"
			if strings.Contains(ip, ":") {
				literal = "https://[" + ip + "]/freehold"
			}
			if _, err := webhook.CheckURL(literal, nil); !errors.Is(err, webhook.ErrRefused) {
				t.Errorf("%s: %v, want ErrRefused", literal, err)
			}
			if out := send(t, c, literal); out.Delivered || !strings.Contains(out.Error, "is not a public address") {
				t.Errorf("by address: %+v, want it refused", out)
			}
			if got := connected(); len(got) > 0 {
				t.Errorf("it connected to %q", got)
			}
		})
	}
}

func TestATargetAtAPublicAddressIsDialled(t *testing.T) {
	t.Parallel()
	for _, ip := range public {
		n := &names{answers: map[string][][]string{"hooks.example.com": {{ip}}}}
		c, connected := dialled(t, n)
		if out := send(t, c, "https://hooks.example.com:8443/freehold"); strings.Contains(out.Error, "public") {
			t.Errorf("%s: %+v", ip, out)
		}
		want := netip.AddrPortFrom(netip.MustParseAddr(ip), 8443).String()
		if got := connected(); len(got) != 1 || got[0] != want {
			t.Errorf("it connected to %q, want %s", got, want)
		}
	}
}

func TestANameThatChangesItsAddressIsJudgedByTheOneThatIsDialled(t *testing.T) {
	t.Parallel()
	n := &names{answers: map[string][][]string{
		"rebind.example.com": {{"93.184.215.14"}, {"169.254.169.254"}},
		"both.example.com":   {{"93.184.215.14", "10.0.0.1", "::1"}},
	}}
	c, connected := dialled(t, n)
	if out := send(t, c, "https://rebind.example.com/"); strings.Contains(out.Error, "public") {
		t.Errorf("at first: %+v, want it dialled", out)
	}
	if out := send(t, c, "https://rebind.example.com/"); !strings.Contains(out.Error, "169.254.169.254 is not a public address") {
		t.Errorf("then: %+v, want it refused", out)
	}
	// The dialer tries the second address after the first has failed.
	send(t, c, "https://both.example.com/")
	for _, at := range connected() {
		if at != "93.184.215.14:443" {
			t.Errorf("it connected to %s", at)
		}
	}
}

func TestAHostThatIsAllowedByNameMayHaveAnyAddress(t *testing.T) {
	t.Parallel()
	n := &names{answers: map[string][][]string{
		"hooks.internal": {{"10.0.0.1"}}, "other.internal": {{"10.0.0.2"}}, "hooks.internal.evil.example": {{"10.0.0.3"}},
	}}
	c, connected := dialled(t, n, "Hooks.Internal.", "other.internal:8443", "10.9.9.9")
	for url, at := range map[string]string{
		"https://hooks.internal/":              "10.0.0.1:443",
		"http://HOOKS.internal:8080/":          "10.0.0.1:8080",
		"https://hooks.internal./":             "10.0.0.1:443",
		"https://other.internal:8443/":         "10.0.0.2:8443",
		"https://10.9.9.9/":                    "10.9.9.9:443",
		"https://other.internal/":              "",
		"http://other.internal/":               "",
		"https://hooks.internal.evil.example/": "",
		"https://10.0.0.1/":                    "",
	} {
		before := len(connected())
		out := send(t, c, url)
		got := connected()[before:]
		if at == "" && (len(got) > 0 || out.Error == "") || at != "" && (len(got) != 1 || got[0] != at) {
			t.Errorf("%s: it connected to %q, want %q: %+v", url, got, at, out)
		}
	}
}

func TestAURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{ // "": it is one
		"https://hooks.example.com/a?b=c":                        "",
		"https://hooks.example.com":                              "",
		"https://hooks.example.com:8443/":                        "",
		"https://xn--bcher-kva.example/":                         "",
		"https://1.1.1.1/":                                       "",
		"https://[2606:4700:4700::1111]:443/":                    "",
		"http://allowed.internal/":                               "",
		"https://10.7.7.7/":                                      "",
		"http://hooks.example.com/":                              "want https",
		"ftp://hooks.example.com/":                               "want https://HOST/PATH",
		"file:///etc/passwd":                                     "want https://HOST/PATH",
		"hooks.example.com/a":                                    "want https://HOST/PATH",
		"https:///a":                                             "want https://HOST/PATH",
		"https:hooks.example.com":                                "want https://HOST/PATH",
		"":                                                       "want https://HOST/PATH",
		"https://user:pa55@hooks.example.com":                    "it holds a user or a password",
		"https://hooks.example.com/#frag":                        "it has a fragment",
		"https://hooks.example.com:99999/":                       "99999 is not a port",
		"https://hooks.example.com:0/":                           "0 is not a port",
		"https://bücher.example/":                                "write an international one in its xn-- form",
		"https://hooks example.com/":                             "it cannot be parsed",
		"https://hooks.example.com/\r\nHost:":                    "it cannot be parsed",
		"https://localhost/":                                     "localhost is this machine",
		"https://LOCALHOST./":                                    "localhost is this machine",
		"https://a.localhost:8443/":                              "a.localhost is this machine",
		"https://2130706433/":                                    "2130706433 is neither a name nor an address",
		"https://0x7f.1/":                                        "0x7f.1 is neither a name nor an address",
		"https://0177.0.0.1/":                                    "0177.0.0.1 is neither a name nor an address",
		"https://127.1/":                                         "127.1 is neither a name nor an address",
		"https://[fe80::1%25eth0]/":                              "is not a public address",
		"https://hooks.example.com/" + strings.Repeat("a", 2048): "it is longer than 2048 characters",
	} {
		hosts, err := webhook.ParseHosts([]string{"allowed.internal", "10.7.7.7"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = webhook.CheckURL(raw, hosts)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", raw, err)
		case want != "" && (err == nil || !errors.Is(err, webhook.ErrTarget) || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want it refused: %s", raw, err, want)
		case err != nil && strings.Contains(err.Error(), "pa55"):
			t.Errorf("%s: the password is in the error: %v", raw, err)
		}
	}
}

func TestAnAllowedHostIsAName(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "*", "*.internal", "https://hooks.internal", "hooks.internal/path", "10.0.0.0/8", "hooks.internal:", "hooks.internal:http", "hooks.internal:0"} {
		if _, err := webhook.ParseHosts([]string{name}); err == nil {
			t.Errorf("%q was taken for a host", name)
		}
	}
	if _, err := webhook.ParseHosts([]string{"receiver", "hooks.internal:8443", "10.0.0.1:80", "[::1]:80", "::1"}); err != nil {
		t.Error(err)
	}
}
