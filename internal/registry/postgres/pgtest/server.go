// Package pgtest gives tests a real PostgreSQL server.
//
// A test's process has one server, which starts when the first test asks for a
// database, listens on the loopback only, and writes nothing to disk that it
// would wait for. Each test gets a database of its own, a copy of one that was
// migrated.
//
// The server ends when the process does, however that ends: a shell that holds
// the other end of a pipe stops it when the pipe closes, and removes its files.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"freehold.dev/freehold/internal/localhost"
	"freehold.dev/freehold/internal/wait"
)

// Server is a running server.
type Server struct {
	// Authority is the file of the authority that issued the server's certificate.
	Authority string

	port     int
	password string
	dir      string
	data     string
	pipe     io.WriteCloser // the server runs as long as this is open
}

// Start returns the process's server. Without the program it skips the test, and
// says so; in CI it fails.
func Start(t testing.TB) *Server {
	t.Helper()
	bin, err := find()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skipf("NOT TESTED against a real PostgreSQL: %v", err)
	}
	s, err := shared(bin)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	once     sync.Once
	server   *Server
	startErr error
)

func shared(bin string) (*Server, error) {
	once.Do(func() {
		// Between choosing a port and listening, another may take it.
		for range 3 {
			if server, startErr = start(bin); startErr == nil || !strings.Contains(startErr.Error(), "could not create any TCP/IP sockets") {
				return
			}
		}
	})
	return server, startErr
}

// watch starts the server and does what it is asked for, until the end of its own
// input, which is the end of the test's process. QUIT is the server's fastest end
// that leaves no shared memory behind.
const watch = `
trap '' INT HUP TERM
initdb=$1 postgres=$2 dir=$3 data=$4; shift 4
"$initdb" -D "$data" -U postgres --pwfile="$dir/password" -A scram-sha-256 -E UTF8 --locale=C --no-sync --no-instructions >"$dir/log" 2>&1 || {
	echo "FATAL: initdb failed" >>"$dir/log"
}
"$postgres" -D "$data" "$@" >>"$dir/log" 2>&1 </dev/null &
server=$!
while read -r asked; do
	case $asked in
	start)
		"$postgres" -D "$data" "$@" >>"$dir/log" 2>&1 </dev/null &
		server=$!
		;;
	*)
		kill -"$asked" $server
		wait $server
		;;
	esac
done
kill -QUIT $server 2>/dev/null
wait $server
rm -rf "$data" "$dir"
`

// settings are for a server whose data nobody needs after the test. The machine does
// not crash, so that what is written need not reach a disk, but the server may.
var settings = map[string]string{
	"listen_addresses": "127.0.0.1", "unix_socket_directories": "",
	"fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0",
	"autovacuum": "off", "jit": "off", "shared_buffers": "32MB", "max_connections": "200", "dynamic_shared_memory_type": "mmap",
	"ssl": "on", "log_min_messages": "fatal",
}

func start(bin string) (_ *Server, err error) {
	dir, err := os.MkdirTemp("", "freehold-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, password: rand.Text(), Authority: filepath.Join(dir, "authority.crt")}
	began := false
	defer func() {
		if !began {
			err = errors.Join(err, os.RemoveAll(dir), os.RemoveAll(s.data))
		}
	}()
	// To copy a database takes a tenth of the time in memory.
	if s.data, err = os.MkdirTemp(inMemory(), "freehold-postgres-data-"); err != nil {
		return nil, err
	}
	if s.port, err = localhost.FreePort(); err != nil {
		return nil, err
	}
	certificate, key, authority, err := certificates(time.Now())
	if err != nil {
		return nil, err
	}
	for name, content := range map[string][]byte{
		"password": []byte(s.password), "server.crt": certificate, "server.key": key, "authority.crt": authority, "log": nil,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return nil, err
		}
	}
	attr, bin, err := asNobody(bin, dir, s.data)
	if err != nil {
		return nil, err
	}
	args := []string{
		"-c", watch, "watch", filepath.Join(bin, "initdb"), filepath.Join(bin, "postgres"), dir, s.data,
		"-c", "port=" + strconv.Itoa(s.port),
		"-c", "ssl_cert_file=" + filepath.Join(dir, "server.crt"), "-c", "ssl_key_file=" + filepath.Join(dir, "server.key"),
	}
	for name, value := range settings {
		args = append(args, "-c", name+"="+value)
	}
	cmd := exec.Command("/bin/sh", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TZ=UTC", "LC_ALL=C"}
	cmd.SysProcAttr = attr
	// Nobody else has the other end: it closes with this process.
	if s.pipe, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", filepath.Join(bin, "postgres"), err)
	}
	began = true
	if err := s.ready("FATAL"); err != nil {
		return nil, errors.Join(fmt.Errorf("%s did not start: %w", filepath.Join(bin, "postgres"), err), s.pipe.Close())
	}
	return s, nil
}

// ready waits until the server says in its lock file that it takes connections, or
// says in its log that it never will.
func (s *Server) ready(hopeless string) error {
	log := filepath.Join(s.dir, "log")
	err := wait.Until(context.Background(), wait.For{
		What: "the PostgreSQL server of the tests", Every: 5 * time.Millisecond, Within: time.Minute, Now: time.Now,
	}, func(context.Context) (bool, error) {
		// https://github.com/postgres/postgres/blob/master/src/include/utils/pidfile.h
		if text, err := os.ReadFile(filepath.Join(s.data, "postmaster.pid")); err == nil {
			if lines := strings.Split(string(text), "\n"); len(lines) > 7 && strings.TrimSpace(lines[7]) == "ready" {
				return true, nil
			}
		}
		if hopeless != "" && strings.Contains(tail(log), hopeless) {
			return false, errors.New("it says why")
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("%w\n%s", err, tail(log))
	}
	return nil
}

// Stop is a way to stop a server.
type Stop string

// The ways.
const (
	Fast      Stop = "INT"  // as for an upgrade: whoever is connected is cut off, and all is written
	Immediate Stop = "QUIT" // as after a crash: the next start recovers
)

// Stop stops the server until Resume, for every test of this process.
func (s *Server) Stop(how Stop) error {
	if _, err := io.WriteString(s.pipe, string(how)+"\n"); err != nil {
		return err
	}
	return wait.Until(context.Background(), wait.For{
		What: "the PostgreSQL server of the tests to stop", Every: 5 * time.Millisecond, Within: time.Minute, Now: time.Now,
	}, func(context.Context) (bool, error) {
		_, err := os.Stat(filepath.Join(s.data, "postmaster.pid"))
		return errors.Is(err, fs.ErrNotExist), nil
	})
}

// Resume starts a server that was stopped, and waits until it takes connections.
func (s *Server) Resume() error {
	if _, err := io.WriteString(s.pipe, "start\n"); err != nil {
		return err
	}
	// Clients that come too early are in its log as well.
	return s.ready("")
}

// URL names a database of the server, for a login.
func (s *Server) URL(user, password, database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path: database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Superuser names a database, for somebody whom nothing binds.
func (s *Server) Superuser(database string) string { return s.URL("postgres", s.password, database) }

// Port is where it listens on 127.0.0.1, which its certificate is for.
func (s *Server) Port() int { return s.port }
