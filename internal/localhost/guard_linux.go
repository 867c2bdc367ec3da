//go:build amd64 || arm64

package localhost

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The guard is a seccomp filter that hands each accept(2) of the guarded processes
// over to this one, which accepts in their place. It needs no privilege, and leaves
// the network of those processes as it is: they reach what they always reached.
// https://man7.org/linux/man-pages/man2/seccomp_unotify.2.html

// Guarded calls run on a thread of its own. The processes that run starts, and
// whatever those start, then accept TCP connections of this user only, until run
// returns. The servers of the Pulumi engine and of its plugins are somebody else's
// programs, and take whoever connects for the engine.
//
// said is given what a person should know, such as that somebody was refused. Where
// GuardKnown says that there is no guard, run is called without one.
func Guarded(run func() error, said func(error)) error {
	ended := make(chan error, 1)
	go onThread(func() {
		stop := func() {}
		if GuardKnown() == nil {
			end, err := guard(said)
			if err != nil {
				said(fmt.Errorf("other users of this machine can reach what is started: %w", err))
			} else {
				stop = end
			}
		}
		err := run()
		stop()
		ended <- err
	})
	return <-ended
}

// onThread calls f on a thread that ends with it, and with what f did to it. That is
// not the process's first one, which does not end.
func onThread(f func()) {
	runtime.LockOSThread()
	if unix.Gettid() != os.Getpid() {
		f()
		return // without unlocking
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		onThread(f)
	}()
	<-over
	runtime.UnlockOSThread()
}

// flags of the filter: a descriptor for us, no slowing down of what is not its business
// (the filter keeps no secret), and no signal in the middle of an answer: the
// runtime of a Go program sends itself many, and a connection would be lost with each.
const flags = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW | unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV

// GuardKnown reports nil where Guarded keeps other users of this machine out.
func GuardKnown() error {
	if err := OwnersKnown(); err != nil {
		return err
	}
	action := uint32(unix.SECCOMP_RET_USER_NOTIF)
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action))); errno != 0 {
		return fmt.Errorf("this kernel does not let a process watch another's system calls: %w", errno)
	}
	// No filter at all is a bad address; flags that the kernel does not know are refused first.
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, 0); errno != unix.EFAULT {
		return fmt.Errorf("this kernel is older than Linux 5.19: %w", errno)
	}
	pid, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		return fmt.Errorf("open a process: %w", err)
	}
	defer unix.Close(pid)
	fd, err := unix.PidfdGetfd(pid, pid, 0)
	if err != nil {
		return fmt.Errorf("this machine does not let a process have the sockets of one that it started: %w", err)
	}
	_ = unix.Close(fd)
	// https://docs.kernel.org/admin-guide/LSM/Yama.html
	if scope, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(scope))); err != nil || n > 2 || n == 2 && os.Geteuid() != 0 {
			return fmt.Errorf("kernel.yama.ptrace_scope is %s: it does not let a process have the sockets of one that it started", strings.TrimSpace(string(scope)))
		}
	}
	return nil
}

// notification is struct seccomp_notif.
type notification struct {
	id    uint64
	pid   uint32 // the thread
	flags uint32
	data  struct {
		call int32
		arch uint32
		at   uint64
		args [6]uint64
	}
}

// answer is struct seccomp_notif_resp.
type answer struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// handed is struct seccomp_notif_addfd.
type handed struct {
	id         uint64
	flags      uint32
	from       uint32
	to         uint32
	descriptor uint32 // its flags
}

// guarding is one filter's other end.
type guarding struct {
	fd   int
	end  int // readable when there is nothing more to do
	said func(error)
	once sync.Once
	at   sync.WaitGroup
}

// guard puts the filter on the calling thread and on whatever it starts.
func guard(said func(error)) (stop func(), err error) {
	end, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make the guard's end: %w", err)
	}
	fd, err := filter()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set the guard: %w", err), unix.Close(end))
	}
	g := &guarding{fd: fd, end: end, said: said}
	over := make(chan struct{})
	go func() {
		defer close(over)
		g.answer()
	}()
	return func() {
		_, _ = unix.Write(end, []byte{1, 0, 0, 0, 0, 0, 0, 0})
		<-over
		g.at.Wait()
		// Who is guarded still, and accepts, is told that there is no such call.
		_, _ = unix.Close(fd), unix.Close(end)
	}, nil
}

// filter sets the filter. A process without privileges may do that if it renounces
// what programs would give to it: see PR_SET_NO_NEW_PRIVS.
func filter() (int, error) {
	raw, err := bpf.Assemble(program())
	if err != nil {
		return 0, err
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	set := func() (uintptr, unix.Errno) {
		fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&prog)))
		return fd, errno
	}
	fd, errno := set()
	if errno == unix.EACCES {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return 0, err
		}
		fd, errno = set()
	}
	runtime.KeepAlive(code)
	if errno != 0 {
		return 0, errno
	}
	return int(fd), nil
}

// program is the filter: accepting is for us to do, and every other way to accept is
// not there. Those are the calls of 32-bit programs, and io_uring, of which libraries
// do without where it is missing.
func program() []bpf.Instruction {
	const number, arch = 0, 4 // in struct seccomp_data
	missing := bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)}
	ask := bpf.RetConstant{Val: unix.SECCOMP_RET_USER_NOTIF}
	pass := bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	var other []bpf.Instruction
	for _, call := range compat {
		other = append(other, bpf.JumpIf{Cond: bpf.JumpEqual, Val: call, SkipFalse: 1}, missing)
	}
	out := []bpf.Instruction{
		bpf.LoadAbsolute{Off: arch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: native, SkipTrue: uint8(len(other) + 2)},
		bpf.LoadAbsolute{Off: number, Size: 4},
	}
	out = append(append(out, other...), pass)
	out = append(out, bpf.LoadAbsolute{Off: number, Size: 4})
	for _, call := range []uint32{unix.SYS_ACCEPT, unix.SYS_ACCEPT4} {
		out = append(out, bpf.JumpIf{Cond: bpf.JumpEqual, Val: call, SkipFalse: 1}, ask)
	}
	// Calls of the x32 kind have this bit, and a program is never of that kind by itself.
	return append(out,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_IO_URING_SETUP, SkipFalse: 1}, missing,
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: 0x40000000, SkipFalse: 1}, missing,
		pass)
}

// answer answers until it is told to end, or nobody is left.
func (g *guarding) answer() {
	for {
		fds := []unix.PollFd{{Fd: int32(g.fd), Events: unix.POLLIN}, {Fd: int32(g.end), Events: unix.POLLIN}}
		_, err := unix.Poll(fds, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || fds[1].Revents != 0 || fds[0].Revents&unix.POLLIN == 0 {
			return
		}
		n := &notification{}
		if g.ioctl(unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(n)) != 0 {
			continue // who asked is gone
		}
		g.at.Go(func() { g.accept(n) })
	}
}

func (g *guarding) ioctl(call uintptr, arg unsafe.Pointer) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(g.fd), call, uintptr(arg))
	return errno
}

// fail answers that the call failed. Who is gone needs no answer.
func (g *guarding) fail(n *notification, errno unix.Errno) {
	g.ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&answer{id: n.id, errno: -int32(errno)}))
}

// there reports whether who asked still waits, so that its number is its own still.
func (g *guarding) there(n *notification) bool {
	id := n.id
	return g.ioctl(unix.SECCOMP_IOCTL_NOTIF_ID_VALID, unsafe.Pointer(&id)) == 0
}

// ended reports whether the guard is told to end.
func (g *guarding) ended() bool {
	fds := []unix.PollFd{{Fd: int32(g.end), Events: unix.POLLIN}}
	n, _ := unix.Poll(fds, 0)
	return n > 0
}

// accept accepts the next connection of this user for who asked.
func (g *guarding) accept(n *notification) {
	listener, err := socketOf(int(n.pid), int(int32(n.data.args[0])))
	switch {
	case !g.there(n):
		if err == nil {
			_ = unix.Close(listener)
		}
		return
	case errors.Is(err, unix.EBADF):
		g.fail(n, unix.EBADF)
		return
	case err != nil:
		// Unknown is not safe.
		g.said(fmt.Errorf("process %d cannot accept connections: %w", n.pid, err))
		g.fail(n, unix.EPERM)
		return
	}
	defer unix.Close(listener)
	if !overTCP(listener) {
		// It is no business of this guard: the kernel answers.
		g.ioctl(unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&answer{id: n.id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}))
		return
	}
	options := uint64(0)
	if n.data.call == unix.SYS_ACCEPT4 {
		options = n.data.args[3]
	}
	for g.arrives(n, listener) {
		conn, address, errno := acceptRaw(listener, int(options)|unix.SOCK_CLOEXEC)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			g.fail(n, errno)
			return
		}
		if err := ours(conn); err != nil {
			_ = unix.Close(conn)
			g.once.Do(func() { g.said(err) })
			continue
		}
		g.hand(n, conn, address, options&unix.SOCK_CLOEXEC != 0)
		_ = unix.Close(conn)
		return
	}
}

// arrives waits for a connection where the listener is one that waits.
func (g *guarding) arrives(n *notification, listener int) bool {
	if how, err := unix.FcntlInt(uintptr(listener), unix.F_GETFL, 0); err != nil || how&unix.O_NONBLOCK != 0 {
		return true
	}
	const within = 200 // ms, after which it looks whether who asked still waits
	for g.there(n) && !g.ended() {
		fds := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if k, _ := unix.Poll(fds, within); k > 0 {
			return true
		}
	}
	return false
}

// hand gives who asked the connection and says whose it is.
func (g *guarding) hand(n *notification, conn int, address []byte, closesOnExec bool) {
	if at := n.data.args[1]; at != 0 {
		if err := writePeer(int(n.pid), at, n.data.args[2], address); err != nil {
			g.fail(n, unix.EFAULT)
			return
		}
	}
	h := handed{id: n.id, flags: unix.SECCOMP_ADDFD_FLAG_SEND, from: uint32(conn)}
	if closesOnExec {
		h.descriptor = unix.O_CLOEXEC
	}
	if errno := g.ioctl(unix.SECCOMP_IOCTL_NOTIF_ADDFD, unsafe.Pointer(&h)); errno != 0 {
		g.fail(n, errno) // such as no room for a descriptor
	}
}

// socketOf returns another process's file, given one of its threads.
func socketOf(thread, fd int) (int, error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(thread) + "/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "\nTgid:")
	line, _, _ := strings.Cut(rest, "\n")
	process, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		return 0, fmt.Errorf("whose thread %d is: %w", thread, err)
	}
	pid, err := unix.PidfdOpen(process, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(pid)
	return unix.PidfdGetfd(pid, fd, 0)
}

// overTCP reports whether a socket listens for TCP, or for what falls back to it.
func overTCP(fd int) bool {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	return err == nil && (domain == unix.AF_INET || domain == unix.AF_INET6)
}

func acceptRaw(listener, options int) (conn int, address []byte, errno unix.Errno) {
	address = make([]byte, unix.SizeofSockaddrAny)
	size := uint32(len(address))
	fd, _, errno := unix.Syscall6(unix.SYS_ACCEPT4, uintptr(listener), uintptr(unsafe.Pointer(&address[0])), uintptr(unsafe.Pointer(&size)), uintptr(options), 0, 0)
	return int(fd), address[:min(int(size), len(address))], errno
}

// ours is an error unless a connection's other end is a socket of this user.
func ours(conn int) error {
	remote, err := unix.Getpeername(conn)
	if err != nil {
		return fmt.Errorf("a connection was refused, whose other end is gone: %w", err)
	}
	local, err := unix.Getsockname(conn)
	if err != nil {
		return fmt.Errorf("a connection was refused: %w", err)
	}
	return refusal(tcp(remote), tcp(local))
}

func tcp(s unix.Sockaddr) *net.TCPAddr {
	switch a := s.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: a.Addr[:], Port: a.Port}
	}
	return &net.TCPAddr{}
}

// writePeer writes an address and its length where accept(2) would.
func writePeer(process int, at, sizeAt uint64, address []byte) error {
	size := make([]byte, 4)
	local := []unix.Iovec{{Base: &size[0], Len: 4}}
	remote := []unix.RemoteIovec{{Base: uintptr(sizeAt), Len: 4}}
	if _, err := unix.ProcessVMReadv(process, local, remote, 0); err != nil {
		return err
	}
	room := *(*int32)(unsafe.Pointer(&size[0]))
	*(*int32)(unsafe.Pointer(&size[0])) = int32(len(address))
	if _, err := unix.ProcessVMWritev(process, local, remote, 0); err != nil {
		return err
	}
	if n := min(int(room), len(address)); n > 0 {
		_, err := unix.ProcessVMWritev(process, []unix.Iovec{{Base: &address[0], Len: uint64(n)}}, []unix.RemoteIovec{{Base: uintptr(at), Len: n}}, 0)
		return err
	}
	return nil
}
