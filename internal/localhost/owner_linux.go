package localhost

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink"
)

// OwnersKnown reports nil where Listen can tell the users of this machine apart.
func OwnersKnown() error {
	l, err := net.Listen("tcp4", loopback(0))
	if err != nil {
		return err
	}
	defer l.Close()
	conn, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = owner(conn.LocalAddr(), conn.RemoteAddr())
	return err
}

// mine reports whether the other end of a connection is a socket of this process's
// user. Cannot tell is no.
func mine(conn net.Conn) bool { return refusal(conn.RemoteAddr(), conn.LocalAddr()) == nil }

// refusal is why the socket at remote that is connected to local is not heard; nil:
// it is of this process's user.
func refusal(remote, local net.Addr) error {
	uid, err := owner(remote, local)
	if err != nil {
		return fmt.Errorf("a connection from %s was refused: %w", remote, err)
	}
	if int(uid) != os.Geteuid() {
		return fmt.Errorf("a connection of user %d of this machine was refused", uid)
	}
	return nil
}

// owner returns the user of the socket at local that is connected to remote, from
// the kernel (sock_diag(7)).
func owner(local, remote net.Addr) (uint32, error) {
	s, err := netlink.SocketGet(local, remote)
	if err != nil {
		return 0, fmt.Errorf("ask the kernel whose the connection from %s is: %w", local, err)
	}
	// The kernel selects by the ports alone.
	if at(s.ID.Source, s.ID.SourcePort) != local.String() || at(s.ID.Destination, s.ID.DestinationPort) != remote.String() {
		return 0, fmt.Errorf("the kernel knows no connection from %s to %s", local, remote)
	}
	// A socket that its process has closed is nobody's, and is shown as root's: it
	// could have been anybody's, and what it sent before is still to be read.
	if s.INode == 0 {
		return 0, errors.New("the other end is closed")
	}
	return s.UID, nil
}

func at(ip net.IP, port uint16) string { return (&net.TCPAddr{IP: ip, Port: int(port)}).String() }
