package pgtest

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestEachDatabaseIsATestsOwnAndMigrated(t *testing.T) {
	began := time.Now()
	a, b := Database(t), Database(t)
	for _, db := range []DB{a, b} {
		conn, err := pgx.Connect(t.Context(), db.Superuser)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("cold to the first query: %s", time.Since(began).Round(time.Millisecond))
		var name string
		var fences int
		err = errors.Join(
			conn.QueryRow(t.Context(), "SELECT current_database(), count(*) FROM freehold.fences").Scan(&name, &fences),
			exec1(t, conn, "INSERT INTO freehold.fences (org, token) VALUES ('acme', 1)"),
			conn.Close(t.Context()),
		)
		if err != nil || name != db.Name || fences != 0 {
			t.Errorf("%s has %d fences at first: %v", name, fences, err)
		}
	}
}

func exec1(t *testing.T, conn *pgx.Conn, statement string) error {
	_, err := conn.Exec(t.Context(), statement)
	return err
}

// child is what the test's binary is started with to hold a server of its own.
const child = "FREEHOLD_PGTEST_CHILD"

// Nothing of this process runs after a SIGKILL, and the server ends all the same.
func TestTheServerEndsWithAProcessThatIsKilled(t *testing.T) {
	if os.Getenv(child) != "" {
		s := Start(t)
		fmt.Printf("port %d in %s and %s\n", s.Port(), s.dir, s.data)
		select {}
	}
	Start(t) // or is skipped
	cmd := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var port int
	var dir, data string
	for lines := bufio.NewScanner(out); data == "" && lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "port %d in %s and %s", &port, &dir, &data)
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatalf("the server of the other process does not listen: %v", err)
	}
	_ = conn.Close()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		_, left := os.Stat(dir)
		_, kept := os.Stat(data)
		if err != nil && errors.Is(left, fs.ErrNotExist) && errors.Is(kept, fs.ErrNotExist) {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("20 seconds later the server listens (%v), or %s (%v) or %s (%v) is there", err, dir, left, data, kept)
		}
	}
}

func TestAProgramThatOnlyItsUserReachesIsUsedFromElsewhere(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	for _, dir := range []string{"bin", "lib"} {
		if err := os.MkdirAll(filepath.Join(from, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(
		os.WriteFile(filepath.Join(from, "bin", "postgres"), []byte("#!/bin/sh\ncat ../lib/some"), 0o755),
		os.WriteFile(filepath.Join(from, "lib", "some.1"), []byte("it works"), 0o644),
		os.Symlink("some.1", filepath.Join(from, "lib", "some")),
		mirror(from, to, func(dir string) error { return os.Mkdir(dir, 0o755) }),
		os.RemoveAll(from),
	)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(to, "bin", "postgres"))
	cmd.Dir = filepath.Join(to, "bin")
	if said, err := cmd.CombinedOutput(); err != nil || string(said) != "it works" {
		t.Errorf("it says %q, %v", said, err)
	}
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
	if everybody(filepath.Join(to, "bin")) {
		t.Error("a folder in another that only its owner may enter counts as reached by everybody")
	}
	if !everybody("/bin") {
		t.Error("/bin does not count as reached by everybody")
	}
}

func TestAServerThatDoesNotStartSaysWhy(t *testing.T) {
	bin := t.TempDir()
	if err := os.Chmod(filepath.Dir(bin), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"initdb", "postgres"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\necho out of luck\nexit 1\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := start(bin); err == nil || !strings.Contains(err.Error(), "out of luck") {
		t.Errorf("got %v", err)
	}
}

func TestAServerThatWasStoppedHasWhatWasCommitted(t *testing.T) {
	db, s := Database(t), Start(t)
	for i, how := range []Stop{Fast, Immediate} {
		conn, err := pgx.Connect(t.Context(), db.Superuser)
		if err != nil {
			t.Fatal(err)
		}
		if err := exec1(t, conn, "INSERT INTO freehold.fences (org, token) VALUES ('org-"+string(how)+"', 1)"); err != nil {
			t.Fatal(err)
		}
		if err := s.Stop(how); err != nil {
			t.Fatal(err)
		}
		if err := conn.Ping(t.Context()); err == nil {
			t.Errorf("%s: a client is still connected", how)
		}
		if conn, err := pgx.Connect(t.Context(), db.Superuser); err == nil {
			_ = conn.Close(t.Context())
			t.Errorf("%s: a server that was stopped takes a client", how)
		}
		if err := s.Resume(); err != nil {
			t.Fatal(err)
		}
		if conn, err = pgx.Connect(t.Context(), db.Superuser); err != nil {
			t.Fatal(err)
		}
		var fences int
		err = errors.Join(conn.QueryRow(t.Context(), "SELECT count(*) FROM freehold.fences").Scan(&fences), conn.Close(t.Context()))
		if err != nil || fences != i+1 {
			t.Errorf("%s: %d fences, want %d: %v", how, fences, i+1, err)
		}
	}
}
