package probes

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// backend is a server that is not spoken to over HTTP, as its errors name it:
// PostgreSQL or Redis.
type backend struct {
	name     string // postgres, redis
	where    string // host and port, or a socket's path
	settings string // what says where it is: "--database, DATABASE_URL or PGHOST"
	tls      string // what to check where its encryption fails
	timeout  time.Duration
}

// failf is an error of the backend's.
func (b backend) failf(format string, args ...any) error {
	return fmt.Errorf("%s %s: %w", b.name, b.where, fmt.Errorf(format, args...))
}

// unreachable says which of the ways to fail it was and what to do next, where
// the server itself said nothing. Such errors hold addresses and no secrets.
func (b backend) unreachable(err error) error {
	var lookup *net.DNSError
	var dial *net.OpError
	switch {
	case errors.As(err, &lookup) && !lookup.IsTimeout:
		return b.failf("unknown host: %w; check the host in %s", lookup, b.settings)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, os.ErrNotExist):
		return b.failf("%w: nothing listens there; check that the server runs, and %s", syscall.ECONNREFUSED, b.settings)
	case isTimeout(err):
		return b.failf("timeout: %w; check the network, and whether the server hangs", noAnswer{within: b.timeout})
	case errors.Is(err, context.Canceled):
		return b.failf("%w", context.Canceled)
	case errors.As(err, &dial) && dial.Op == "dial":
		return b.failf("cannot connect: %w; check the network, and %s", root(err), b.settings)
	case isTLS(err):
		return b.failf("TLS failed: %w; check %s", root(err), b.tls)
	case isLost(err):
		return b.failf("the connection was lost: %w; a new one is tried", root(err))
	}
	return b.failf("the answer makes no sense: %w; check what listens there", root(err))
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

func isLost(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// isTLS recognises that a connection failed at its encryption.
func isTLS(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		hostname     x509.HostnameError
		invalid      x509.CertificateInvalidError
		record       tls.RecordHeaderError
		alert        tls.AlertError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &record) || errors.As(err, &alert) ||
		strings.Contains(err.Error(), "server refused TLS connection") // pgx has no value for it
}

// root is the innermost of err: the cause without the layers that repeat the
// address. Of several joined ones it is the last, that of the last attempt.
func root(err error) error {
	for {
		switch e := err.(type) { //nolint:errorlint // it takes the layers off itself
		case interface{ Unwrap() error }:
			inner := e.Unwrap()
			if inner == nil {
				return err
			}
			err = inner
		case interface{ Unwrap() []error }:
			all := e.Unwrap()
			if len(all) == 0 {
				return err
			}
			err = all[len(all)-1]
		default:
			return err
		}
	}
}
