//go:build unix

package lease

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
)

// Lease is a hold on an environment.
type Lease struct {
	Settings Settings
	Socket   string // of the supervisor; the value of Variable for children

	client *http.Client
	hold   io.Closer
}

// Options say what a lease is taken on, and how it ends.
type Options struct {
	// Program is a build of testenv/cmd/testenv, which is run when no
	// supervisor of that build runs yet.
	Program string
	// Brief ends the environment with this lease when there is no other. It
	// lingers otherwise.
	Brief bool
	// Progress is told what the start is at.
	Progress io.Writer
}

// Acquire takes a lease on the environment of a program's supervisor, and starts
// that where there is none. It waits until the environment is up. With Variable
// set in the environment, it joins the supervisor there instead.
func Acquire(ctx context.Context, options Options) (*Lease, error) {
	if socket := os.Getenv(Variable); socket != "" {
		return join(ctx, socket, options)
	}
	var failure error
	for range 3 { // a supervisor may end while it is asked
		socket, err := ensureSupervisor(ctx, options.Program)
		if err != nil {
			return nil, fmt.Errorf("start the test environment: %w", err)
		}
		l, err := join(ctx, socket, options)
		if !errors.Is(err, errEnding) {
			return l, err
		}
		failure = err
	}
	return nil, failure
}

// errEnding means that the supervisor has no more leases to give.
var errEnding = errors.New("the test environment is ending")

// Running takes a lease on the environment that somebody has brought up: the
// one that Variable names, or one of this checkout.
func Running(ctx context.Context) (*Lease, error) {
	socket := os.Getenv(Variable)
	if socket == "" {
		var err error
		if socket, err = runningSocket(ctx); err != nil {
			return nil, err
		}
	}
	return join(ctx, socket, Options{})
}

// join takes a lease from the supervisor at a socket.
func join(ctx context.Context, socket string, options Options) (*Lease, error) {
	client := clientOf(socket)
	url := "http://testenv/lease"
	if options.Brief {
		url += "?brief"
	}
	// The lease outlives this call: only Close ends it.
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errEnding, err)
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, errEnding
	}
	stop := context.AfterFunc(ctx, func() { _ = response.Body.Close() })
	defer stop()
	for stream := json.NewDecoder(response.Body); ; {
		var m message
		err := stream.Decode(&m)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			_ = response.Body.Close()
			return nil, fmt.Errorf("%w: %w", errEnding, err)
		case m.Error != "":
			_ = response.Body.Close()
			return nil, fmt.Errorf("start the test environment: %s", m.Error)
		case m.Settings != nil:
			return &Lease{Settings: *m.Settings, Socket: socket, client: client, hold: response.Body}, nil
		case options.Progress != nil:
			_, _ = io.WriteString(options.Progress, m.Progress)
		}
	}
}

// Close gives the lease back.
func (l *Lease) Close() error { return l.hold.Close() }

// SetFault turns a fault of the environment on or off.
func (l *Lease) SetFault(ctx context.Context, name string, on bool) error {
	method := http.MethodDelete
	if on {
		method = http.MethodPut
	}
	return l.do(ctx, method, "/faults/"+name)
}

// Release rolls out a release, "bad" or "good", and waits until it runs.
func (l *Lease) Release(ctx context.Context, which string) error {
	return l.do(ctx, http.MethodPost, "/releases/"+which)
}

func (l *Lease) do(ctx context.Context, method, path string) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://testenv"+path, nil)
	if err != nil {
		return err
	}
	response, err := l.client.Do(request)
	if err != nil {
		return fmt.Errorf("ask the test environment: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
		return errors.New(strings.TrimSpace(string(reason)))
	}
	return nil
}

func clientOf(socket string) *http.Client {
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}
}
