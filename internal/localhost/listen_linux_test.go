package localhost_test

import (
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"freehold.dev/freehold/internal/localhost"
)

// nobody is a user that runs nothing of ours.
const nobody = 65534

func TestAListenerOfThisUserHearsNobodyElse(t *testing.T) {
	if err := localhost.OwnersKnown(); err != nil {
		t.Fatal(err)
	}
	l, err := localhost.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	heard := greets(t, l)
	if got := call(t, l.Addr(), os.Geteuid()); got != "welcome\n" {
		t.Errorf("this user is told %q", got)
	}
	<-heard
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user: run it as root to see that one refused")
	}
	if got := call(t, l.Addr(), nobody); got != "" {
		t.Errorf("another user is told %q", got)
	}
	// Who came after is heard, so nobody of those before was.
	if got := call(t, l.Addr(), os.Geteuid()); got != "welcome\n" {
		t.Errorf("this user is told %q after that", got)
	}
	<-heard
	if len(heard) > 0 {
		t.Errorf("another user was heard: %q", <-heard)
	}
}

// The kernel lists sockets that are only bound for whoever asks for a list, and somebody
// always has one: between socket(2) and listen(2) or connect(2).
func TestSocketsThatAreOnlyBoundDoNotMatter(t *testing.T) {
	for range 3 {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
		if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
			t.Fatal(err)
		}
	}
	l, err := localhost.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	heard := greets(t, l)
	for range 5 {
		if got := call(t, l.Addr(), os.Geteuid()); got != "welcome\n" {
			t.Fatalf("this user hears %q, want the greeting", got)
		}
		<-heard
	}
}

// What is sent before a socket is closed is read after it, when the kernel shows the
// socket as nobody's.
func TestWhoHasLeftIsNotHeard(t *testing.T) {
	l, err := localhost.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	call(t, l.Addr(), os.Geteuid(), "leave")
	heard := greets(t, l)
	if got := call(t, l.Addr(), os.Geteuid()); got != "welcome\n" {
		t.Errorf("who stays is told %q", got)
	}
	if <-heard; len(heard) > 0 {
		t.Errorf("who has left was heard: %q", <-heard)
	}
}

// call has a process of a user connect, and returns what it was told.
func call(t *testing.T, addr net.Addr, uid int, args ...string) string {
	t.Helper()
	self, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	// Another user may not enter the folder that the test is in.
	c := exec.Command("/proc/self/fd/3", args...)
	c.ExtraFiles = []*os.File{self}
	c.Dir, c.Env = "/", []string{caller + "=" + addr.Network() + "!" + addr.String()}
	if uid != os.Geteuid() {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
