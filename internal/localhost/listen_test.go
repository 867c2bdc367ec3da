package localhost_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
)

// caller is the variable by which this test, run again, is a process that connects to
// an address, says a word, and prints the answer or, told to leave, waits for none.
const caller = "LOCALHOST_TEST_CALLER"

// server is the variable by which this test, run again, is a process that serves.
const server = "LOCALHOST_TEST_SERVER"

// serve is what such a process does, where there is one.
var serve func(kind string)

func TestMain(m *testing.M) {
	if kind := os.Getenv(server); kind != "" {
		serve(kind)
		return
	}
	addr := os.Getenv(caller)
	if addr == "" {
		os.Exit(m.Run())
	}
	network, addr, _ := strings.Cut(addr, "!")
	conn, err := net.Dial(network, addr)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Fprintln(conn, "hello")
	if len(os.Args) > 1 && os.Args[1] == "leave" {
		_ = conn.Close()
		return
	}
	answer, _ := bufio.NewReader(conn).ReadString('\n')
	fmt.Print(answer)
}

// greets answers each word with "welcome" until the test ends, and says which words came.
func greets(t *testing.T, l net.Listener) (heard chan string) {
	t.Helper()
	heard = make(chan string, 10)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err != nil {
				t.Error(err)
				return
			}
			word, _ := bufio.NewReader(conn).ReadString('\n')
			heard <- word
			_, _ = io.WriteString(conn, "welcome\n")
			_ = conn.Close()
		}
	}()
	return heard
}
