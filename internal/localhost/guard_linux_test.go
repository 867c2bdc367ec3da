//go:build amd64 || arm64

package localhost_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"freehold.dev/freehold/internal/localhost"
)

func init() {
	serve = func(kind string) {
		if kind == "a process of its own" {
			c := exec.Command("/proc/self/exe")
			c.Env, c.Stdin, c.Stdout, c.Stderr = []string{server + "=tcp4!127.0.0.1:0"}, os.Stdin, os.Stdout, os.Stderr
			fail(c.Run())
			return
		}
		network, addr, _ := strings.Cut(kind, "!")
		if network == "blocking" {
			blocking()
			return
		}
		l, err := net.Listen(network, addr)
		fail(err)
		fmt.Println(l.Addr().String())
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				if conn.RemoteAddr() == nil || conn.RemoteAddr().Network() == "tcp" && conn.RemoteAddr().(*net.TCPAddr).Port == 0 {
					fmt.Println("from nowhere")
				}
				go welcome(conn)
			}
		}()
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	}
}

func welcome(conn net.Conn) {
	word, _ := bufio.NewReader(conn).ReadString('\n')
	fmt.Print("heard ", word)
	_, _ = fmt.Fprintln(conn, "welcome")
	_ = conn.Close()
}

// blocking serves as a program does that waits in accept(2).
func blocking() {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	fail(err)
	fail(errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 10)))
	at, err := syscall.Getsockname(fd)
	fail(err)
	fmt.Printf("127.0.0.1:%d\n", at.(*syscall.SockaddrInet4).Port)
	go func() {
		for {
			conn, _, err := syscall.Accept(fd)
			if err != nil {
				return
			}
			f := os.NewFile(uintptr(conn), "connection")
			c, err := net.FileConn(f)
			fail(errors.Join(err, f.Close()))
			welcome(c)
		}
	}()
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestWhatIsStartedUnderTheGuardHearsThisUserAlone(t *testing.T) {
	if err := localhost.GuardKnown(); err != nil {
		t.Skipf("THIS MACHINE HAS NO GUARD, and other users can reach what an engine serves: %v", err)
	}
	for _, kind := range []string{
		"tcp4!127.0.0.1:0", "tcp6![::1]:0", "tcp!:0", "blocking", "a process of its own",
	} {
		t.Run(kind, func(t *testing.T) {
			var refused []string
			var mu sync.Mutex
			s := guarded(t, kind, func(err error) {
				mu.Lock()
				defer mu.Unlock()
				refused = append(refused, err.Error())
			})
			for range 3 {
				if got := call(t, s.addr, os.Geteuid()); got != "welcome\n" {
					t.Errorf("this user is told %q", got)
				}
			}
			want := 3
			if os.Geteuid() == 0 {
				for range 3 {
					if got := call(t, s.addr, nobody); got != "" {
						t.Errorf("another user is told %q", got)
					}
				}
				if got := call(t, s.addr, os.Geteuid()); got != "welcome\n" {
					t.Errorf("this user is told %q after that", got)
				}
				want++
			} else {
				t.Log("only root can be another user: run it as root to see that one refused")
			}
			said := s.end()
			if got := strings.Count(said, "heard hello"); got != want || strings.Contains(said, "nowhere") {
				t.Errorf("%d were heard, want %d:\n%s", got, want, said)
			}
			mu.Lock()
			defer mu.Unlock()
			if os.Geteuid() == 0 && (len(refused) != 1 || !strings.Contains(refused[0], "user 65534")) {
				t.Errorf("what is said of it: %q", refused)
			}
		})
	}
}

func TestTheGuardLeavesFilesAlone(t *testing.T) {
	at := filepath.Join(t.TempDir(), "s")
	s := guarded(t, "unix!"+at, func(err error) { t.Error(err) })
	s.addr = &net.UnixAddr{Name: at, Net: "unix"}
	if got := call(t, s.addr, os.Geteuid()); got != "welcome\n" {
		t.Errorf("told %q", got)
	}
	s.end()
}

func TestNoConnectionIsLostUnderTheGuard(t *testing.T) {
	s := guarded(t, "tcp4!127.0.0.1:0", func(err error) { t.Error(err) })
	const all, atOnce = 600, 30
	var wg sync.WaitGroup
	for range atOnce {
		wg.Go(func() {
			for range all / atOnce {
				conn, err := net.Dial("tcp", s.addr.String())
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = fmt.Fprintln(conn, "hello")
				if got, err := bufio.NewReader(conn).ReadString('\n'); got != "welcome\n" {
					t.Errorf("told %q, %v", got, err)
				}
				_ = conn.Close()
			}
		})
	}
	wg.Wait()
	if got := strings.Count(s.end(), "heard hello"); got != all {
		t.Errorf("%d were heard", got)
	}
}

func TestTheGuardEndsWithWhatItGuards(t *testing.T) {
	before := filters(t)
	want := errors.New("it failed")
	for range 20 {
		if err := localhost.Guarded(func() error { return want }, func(err error) { t.Error(err) }); !errors.Is(err, want) {
			t.Fatal(err)
		}
	}
	if after := filters(t); after != before {
		t.Errorf("this process has the filters %q, and had %q", after, before)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	heard := greets(t, l)
	if got := call(t, l.Addr(), os.Geteuid()); got != "welcome\n" {
		t.Errorf("told %q", got)
	}
	<-heard
}

// filters says how many filters this process's first thread has, which does not end
// before the process.
func filters(t *testing.T) string {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "\nSeccomp_filters:")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}

type served struct {
	addr net.Addr
	end  func() (said string)
}

// guarded starts a server under the guard.
func guarded(t *testing.T, kind string, said func(error)) served {
	t.Helper()
	c := exec.Command("/proc/self/exe")
	c.Env = []string{server + "=" + kind}
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	started, ended := make(chan error, 1), make(chan error, 1)
	read := make(chan struct{})
	go func() {
		ended <- localhost.Guarded(func() error {
			err := c.Start()
			started <- err
			if err != nil {
				return err
			}
			<-read // Wait closes the pipe
			return c.Wait()
		}, said)
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(strings.TrimSpace(line))
	host := "127.0.0.1"
	if strings.HasPrefix(kind, "tcp6") {
		host = "::1"
	}
	addr, _ := net.ResolveTCPAddr("tcp", net.JoinHostPort(host, port))
	var all strings.Builder
	go func() {
		defer close(read)
		_, _ = lines.WriteTo(&all)
	}()
	end := sync.OnceValue(func() string {
		_ = in.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		return all.String()
	})
	t.Cleanup(func() { end() })
	return served{addr, end}
}
