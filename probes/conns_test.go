package probes

import (
	"io"
	"net"
	"testing"
	"time"
)

// TestCloseSilentSparesWhoIsHeard closes the connection that nothing came on,
// and only that one.
func TestCloseSilentSparesWhoIsHeard(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	set := newConns()
	connect := func() (client, server net.Conn) {
		t.Helper()
		client, err := set.dial(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		server, err = listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = client.Close(), server.Close() })
		return client, server
	}
	slow, slowServer := connect()
	dead, _ := connect()
	gone, _ := connect()
	_ = gone.Close()

	asked := time.Now()
	if _, err := slowServer.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(slow, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	set.closeSilent(asked)
	if _, err := dead.Read(make([]byte, 1)); err == nil {
		t.Error("the silent connection is open")
	}
	if _, err := slow.Write([]byte("x")); err != nil {
		t.Errorf("the other one is closed: %v", err)
	}
	if n := len(set.open); n != 1 {
		t.Errorf("%d connections are known, want 1", n)
	}
}
