package localhost

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
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
//
// It asks for that one socket. netlink.SocketGet has the kernel list them, which takes
// milliseconds, and lists every socket beside it that is bound and neither listens nor
// is connected yet, of whichever port: others come to be bound at any moment.
func owner(local, remote net.Addr) (uint32, error) {
	from, ok := local.(*net.TCPAddr)
	to, both := remote.(*net.TCPAddr)
	if !ok || !both {
		return 0, fmt.Errorf("the connection from %s is not one of TCP", local)
	}
	req := nl.NewNetlinkRequest(nl.SOCK_DIAG_BY_FAMILY, 0)
	req.AddData(requestFor(from, to))
	msgs, err := req.Execute(unix.NETLINK_INET_DIAG, nl.SOCK_DIAG_BY_FAMILY)
	if err != nil {
		return 0, fmt.Errorf("ask the kernel whose the connection from %s is: %w", local, err)
	}
	if len(msgs) != 1 {
		return 0, fmt.Errorf("the kernel knows %d connections from %s to %s", len(msgs), local, remote)
	}
	var s socket
	if err := binary.Read(bytes.NewReader(msgs[0]), binary.NativeEndian, &s); err != nil {
		return 0, fmt.Errorf("read whose the connection from %s is: %w", local, err)
	}
	// Where there is no such connection, the kernel shows who listens there.
	if !s.ID.source(s.Family).same(from) || !s.ID.destination(s.Family).same(to) {
		return 0, fmt.Errorf("the kernel knows no connection from %s to %s", local, remote)
	}
	// A socket that its process has closed is nobody's, and is shown as root's: it
	// could have been anybody's, and what it sent before is still to be read.
	if s.Inode == 0 {
		return 0, errors.New("the other end is closed")
	}
	return s.UID, nil
}

// The kernel's structures, from linux/inet_diag.h. Ports and addresses are in the order
// of the network.
type (
	// socketID is struct inet_diag_sockid.
	socketID struct {
		SourcePort, DestinationPort [2]byte
		Source, Destination         [16]byte
		Interface                   uint32
		Cookie                      [2]uint32
	}
	// socketRequest is struct inet_diag_req_v2.
	socketRequest struct {
		Family, Protocol, Extensions, Pad uint8
		States                            uint32
		ID                                socketID
	}
	// socket is struct inet_diag_msg.
	socket struct {
		Family, State, Timer, Retransmits             uint8
		ID                                            socketID
		Expires, ReceiveQueue, WriteQueue, UID, Inode uint32
	}
)

// requestFor asks for the socket at from that is connected to to.
func requestFor(from, to *net.TCPAddr) *socketRequest {
	asked := &socketRequest{Family: unix.AF_INET6, Protocol: unix.IPPROTO_TCP, States: 1<<32 - 1}
	source, destination := from.IP.To16(), to.IP.To16()
	if from.IP.To4() != nil && to.IP.To4() != nil {
		asked.Family = unix.AF_INET
		source, destination = from.IP.To4(), to.IP.To4()
	}
	copy(asked.ID.Source[:], source)
	copy(asked.ID.Destination[:], destination)
	binary.BigEndian.PutUint16(asked.ID.SourcePort[:], uint16(from.Port))
	binary.BigEndian.PutUint16(asked.ID.DestinationPort[:], uint16(to.Port))
	asked.ID.Cookie = [2]uint32{nl.TCPDIAG_NOCOOKIE, nl.TCPDIAG_NOCOOKIE}
	return asked
}

// Len is the request's size, in bytes.
func (r *socketRequest) Len() int { return binary.Size(r) }

// Serialize writes the request as the kernel reads it.
func (r *socketRequest) Serialize() []byte {
	var out bytes.Buffer
	_ = binary.Write(&out, binary.NativeEndian, r) // a buffer takes everything
	return out.Bytes()
}

// end is one end of a connection.
type end net.TCPAddr

func (id socketID) source(family uint8) end { return endOf(family, id.Source, id.SourcePort) }
func (id socketID) destination(family uint8) end {
	return endOf(family, id.Destination, id.DestinationPort)
}

func endOf(family uint8, address [16]byte, port [2]byte) end {
	ip := net.IP(address[:])
	if family == unix.AF_INET {
		ip = net.IP(address[:4])
	}
	return end{IP: ip, Port: int(binary.BigEndian.Uint16(port[:]))}
}

func (e end) same(a *net.TCPAddr) bool { return e.Port == a.Port && e.IP.Equal(a.IP) }
