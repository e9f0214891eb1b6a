package faultproxy

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
)

// HTTP is a Proxy in front of an HTTP server that can also answer in the
// server's place. Its modes act on connections, as a Proxy's do.
type HTTP struct {
	*Proxy

	front  *http.Server
	scheme string

	mu      sync.Mutex
	answers []*answer
}

// Answer is a response that the proxy gives itself.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

type answer struct {
	Answer
	prefix string
	left   int
}

// NewHTTP listens on a free loopback port and forwards requests to upstream
// over the transport. With a certificate it serves TLS, and HTTP/2 in it;
// without, plain HTTP.
func NewHTTP(upstream *url.URL, transport http.RoundTripper, certificate *tls.Certificate) (*HTTP, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("fault proxy: %w", err)
	}
	tcp, err := New(listener.Addr().String())
	if err != nil {
		_ = listener.Close()
		return nil, err
	}
	quiet := log.New(io.Discard, "", 0) // a fault on purpose is not worth a line
	h := &HTTP{Proxy: tcp, scheme: "http"}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.Host = r.In.Host
		},
		Transport:     transport,
		FlushInterval: -1, // watches and followed logs arrive as they come
		ErrorLog:      quiet,
	}
	h.front = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if own, ok := h.next(r.URL.Path); ok {
				maps.Copy(w.Header(), own.Header)
				w.WriteHeader(own.Status)
				_, _ = io.WriteString(w, own.Body)
				return
			}
			forward.ServeHTTP(w, r)
		}),
		ErrorLog: quiet,
	}
	if certificate != nil {
		h.scheme = "https"
		h.front.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*certificate}, NextProtos: []string{"h2", "http/1.1"}}
	}
	h.done.Go(func() {
		if certificate == nil {
			_ = h.front.Serve(listener)
			return
		}
		_ = h.front.ServeTLS(listener, "", "")
	})
	return h, nil
}

// URL is the proxy's base address, without a trailing slash.
func (h *HTTP) URL() string { return h.scheme + "://" + h.Addr }

// Respond answers the next count requests whose path begins with prefix in the
// server's place; a negative count means every one, until Forward.
func (h *HTTP) Respond(count int, prefix string, with Answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers = append(h.answers, &answer{Answer: with, prefix: prefix, left: count})
}

// Forward forgets the answers that are left: all requests reach the server
// again.
func (h *HTTP) Forward() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answers = nil
}

// Close ends all connections and waits until nothing runs any more.
func (h *HTTP) Close() {
	_ = h.front.Close()
	h.Proxy.Close()
}

func (h *HTTP) next(path string) (Answer, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, candidate := range h.answers {
		if candidate.left != 0 && strings.HasPrefix(path, candidate.prefix) {
			candidate.left--
			return candidate.Answer, true
		}
	}
	return Answer{}, false
}
