package probes

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/erpgo/flightdeck/config"
)

const (
	// maxAnswer bounds one answer of an HTTP API, uncompressed. Ten thousand
	// alerts take about 8 MiB.
	maxAnswer = 16 << 20
	// maxConns bounds the connections to one server, for all probes and views.
	maxConns = 8
)

// endpoint is an HTTP API that probes ask: where it is, and a client that
// authenticates, bounds the answers, and never sends credentials elsewhere. Each
// request is bounded in time by its context.
type endpoint struct {
	name    string   // as the operator calls it: prometheus, alertmanager
	base    *url.URL // without credentials, so that it can be shown
	setting string   // what to set when it cannot be reached there
	timeout time.Duration
	client  *http.Client
}

// newEndpoint returns the endpoint at rawURL, which may hold a user and a
// password. An empty URL is an ErrNotConfigured.
func newEndpoint(name, rawURL, setting string, authorization config.Secret, timeout time.Duration) (*endpoint, error) {
	if rawURL == "" {
		return nil, notConfigured(setting)
	}
	base, err := url.Parse(rawURL)
	if err != nil {
		// The error of url.Parse quotes the URL, password and all.
		return nil, fmt.Errorf("%s: its URL cannot be read; set %s to something like http://host:9090", name, setting)
	}
	if base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("%s: %s is not an http:// or https:// URL; set %s", name, base.Redacted(), setting)
	}
	if authorization == "" && base.User != nil {
		password, _ := base.User.Password()
		pair := base.User.Username() + ":" + password
		authorization = config.Secret("Basic " + base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	base.User = nil
	base.RawQuery, base.Fragment = "", ""
	return &endpoint{
		name:    name,
		base:    base,
		setting: setting,
		timeout: timeout,
		client: &http.Client{Transport: &transport{
			host:          base.Host,
			authorization: authorization,
			next: &http.Transport{
				Proxy:               http.ProxyFromEnvironment,
				DialContext:         (&net.Dialer{Timeout: timeout, KeepAlive: 15 * time.Second}).DialContext,
				TLSHandshakeTimeout: timeout,
				ForceAttemptHTTP2:   true,
				MaxConnsPerHost:     maxConns,
				MaxIdleConnsPerHost: maxConns,
				IdleConnTimeout:     90 * time.Second,
			},
		}},
	}, nil
}

// failure words err for a pane: what was asked, what went wrong, and, where the
// endpoint itself may be the wrong one, what to set.
func (e *endpoint) failure(err error) error {
	cause, elsewhere := e.cause(err)
	if elsewhere {
		return fmt.Errorf("%s %s: %w; set %s", e.name, e.base, cause, e.setting)
	}
	return fmt.Errorf("%s %s: %w", e.name, e.base, cause)
}

// cause reduces err to the part that an operator can use; the libraries wrap it
// in the request, which may hold a whole query. elsewhere says whether the right
// server may be at another address.
func (e *endpoint) cause(err error) (cause error, elsewhere bool) { //nolint:revive // it finds an error; it does not fail
	var (
		status   statusError
		tooLarge *http.MaxBytesError
		errno    syscall.Errno
		network  net.Error
		request  *url.Error
	)
	switch {
	case errors.As(err, &status):
		return status, status.code == http.StatusNotFound
	case errors.As(err, &tooLarge):
		return fmt.Errorf("its answer is larger than %d MiB: %w", maxAnswer>>20, tooLarge), false
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return noAnswer{within: e.timeout}, true
	case errors.As(err, &errno):
		return errno, true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("it closed the connection in the middle of an answer: %w", io.ErrUnexpectedEOF), true
	case errors.As(err, &request):
		return request.Err, true
	}
	return fmt.Errorf("this is not an answer of the %s API: %w", e.name, err), true
}

// statusError is an HTTP status that the API does not use: the answer of a
// proxy, of another program, or of a server that is starting.
type statusError struct {
	code int
	body string
}

func (e statusError) Error() string {
	text := fmt.Sprintf("it answered %d %s", e.code, http.StatusText(e.code))
	if line := firstLine(e.body); line != "" && line != http.StatusText(e.code) {
		text += ": " + line
	}
	if e.code == http.StatusUnauthorized || e.code == http.StatusForbidden {
		text += "; check bearer_token, or the user and password in its URL"
	}
	return text
}

// firstLine is the first line of s that says something, at most 200 bytes.
func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	if len(line) > 200 {
		line = strings.ToValidUTF8(line[:200], "") + "…"
	}
	return strings.TrimSpace(line)
}

// noAnswer is an attempt that ran out of time.
type noAnswer struct{ within time.Duration }

func (e noAnswer) Error() string { return fmt.Sprintf("no answer within %v", e.within) }

// Unwrap makes it known as a deadline that passed.
func (e noAnswer) Unwrap() error { return context.DeadlineExceeded }

// transport adds credentials to what goes to host, and to nothing else (a
// redirect may lead away), and bounds each answer.
type transport struct {
	host          string
	authorization config.Secret // the header's value, empty for none
	next          http.RoundTripper
}

// RoundTrip sends one request.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Header.Set("User-Agent", "flightdeck")
	if req.URL.Host == t.host && t.authorization != "" {
		req.Header.Set("Authorization", t.authorization.Reveal())
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	return resp, nil
}
