//go:build unix

package testenv_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

// probe asks a server for something that only a working one can answer.
type probe struct {
	name  string
	start func(t *testing.T) (s controlled, addr string)
	ask   func(ctx context.Context, addr string) error
}

// controlled is what all servers can be made to do.
type controlled interface {
	Stop() error
	Kill() error
	Start(context.Context) error
	Restart(context.Context) error
	Pause() error
	Resume() error
	Running() bool
	PID() int
}

func probes() []probe {
	askHTTP := func(ctx context.Context, addr string) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/-/ready", nil)
		if err != nil {
			return err
		}
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	}
	var pgURL, redisURL string
	return []probe{
		{"postgres", func(t *testing.T) (controlled, string) {
			pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
			pgURL = pg.URL()
			return pg, pg.Addr
		}, func(ctx context.Context, addr string) error {
			conn, err := pgx.Connect(ctx, at(pgURL, addr))
			if err != nil {
				return err
			}
			defer conn.Close(context.Background())
			return conn.Ping(ctx)
		}},
		{"redis", func(t *testing.T) (controlled, string) {
			rd := testenv.StartRedis(t, testenv.RedisOptions{})
			redisURL = rd.URL()
			return rd, rd.Addr
		}, func(ctx context.Context, addr string) error {
			options, err := redis.ParseURL(at(redisURL, addr))
			if err != nil {
				return err
			}
			options.ContextTimeoutEnabled, options.MaxRetries, options.DialerRetries = true, -1, 1
			client := redis.NewClient(options)
			defer client.Close()
			return client.Ping(ctx).Err()
		}},
		{"prometheus", func(t *testing.T) (controlled, string) {
			prom := testenv.StartPrometheus(t, testenv.PrometheusOptions{})
			return prom, prom.Addr
		}, askHTTP},
		{"alertmanager", func(t *testing.T) (controlled, string) {
			am := testenv.StartAlertmanager(t)
			return am, am.Addr
		}, askHTTP},
	}
}

// at replaces a URL's host.
func at(raw, addr string) string {
	u, err := url.Parse(raw)
	if err != nil {
		panic(err)
	}
	u.Host = addr
	return u.String()
}

func TestServersComeAndGo(t *testing.T) {
	for _, p := range probes() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			s, addr := p.start(t)
			works := func(when string) {
				t.Helper()
				if err := ask(t, p, addr, 10*time.Second); err != nil {
					t.Fatalf("%s: %v", when, err)
				}
			}
			fails := func(when string, how func(error) bool) {
				t.Helper()
				err := ask(t, p, addr, 300*time.Millisecond)
				if err == nil || !how(err) {
					t.Fatalf("%s: got %v", when, err)
				}
			}
			works("at first")

			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			fails("stopped", refused)
			if err := s.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			works("started again")

			if err := s.Pause(); err != nil {
				t.Fatal(err)
			}
			fails("paused", timedOut)
			if err := s.Resume(); err != nil {
				t.Fatal(err)
			}
			works("resumed")

			if err := s.Kill(); err != nil {
				t.Fatal(err)
			}
			if s.Running() || s.PID() != 0 {
				t.Fatal("killed: it still counts as running")
			}
			fails("killed", refused)
			if err := s.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			works("restarted")
		})
	}
}

func TestProxyFaults(t *testing.T) {
	for _, p := range probes() {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			_, addr := p.start(t)
			proxy := testenv.NewProxy(t, addr)
			for _, step := range []struct {
				mode faultproxy.Mode
				want func(error) bool
			}{
				{faultproxy.Pass, nil},
				{faultproxy.Refuse, refused},
				{faultproxy.Hang, timedOut},
				{faultproxy.Garbage, func(err error) bool { return !refused(err) && !timedOut(err) }},
				{faultproxy.Reset, reset},
				{faultproxy.Pass, nil},
			} {
				if err := proxy.Set(step.mode); err != nil {
					t.Fatal(err)
				}
				within := 10 * time.Second
				if step.mode == faultproxy.Hang {
					within = 300 * time.Millisecond
				}
				err := ask(t, p, proxy.Addr, within)
				if (step.want == nil) != (err == nil) || err != nil && !step.want(err) {
					t.Errorf("%s: got %v", step.mode, err)
				}
			}
		})
	}
}

// A connection that is open when the fault begins has it too, and one that
// hung goes on where it stood.
func TestProxyFaultsOnOpenConnections(t *testing.T) {
	echo, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = echo.Close() })
	go func() {
		for {
			conn, err := echo.Accept()
			if err != nil {
				return
			}
			go func() { defer conn.Close(); _, _ = io.Copy(conn, conn) }()
		}
	}()
	proxy := testenv.NewProxy(t, echo.Addr().String())
	set := func(mode faultproxy.Mode) {
		t.Helper()
		if err := proxy.Set(mode); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := net.Dial("tcp", proxy.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	say := func(word string) {
		t.Helper()
		if _, err := io.WriteString(conn, word); err != nil {
			t.Fatal(err)
		}
	}
	hear := func(within time.Duration) (string, error) {
		_ = conn.SetReadDeadline(time.Now().Add(within))
		buffer := make([]byte, 256)
		n, err := conn.Read(buffer)
		return string(buffer[:n]), err
	}

	say("one")
	if got, err := hear(5 * time.Second); got != "one" {
		t.Fatalf("passing: heard %q, %v", got, err)
	}
	set(faultproxy.Hang)
	say("two")
	if got, err := hear(200 * time.Millisecond); !timedOut(err) {
		t.Fatalf("hanging: heard %q, %v", got, err)
	}
	set(faultproxy.Pass)
	if got, err := hear(5 * time.Second); got != "two" {
		t.Fatalf("passing again: heard %q, %v", got, err)
	}
	set(faultproxy.Garbage)
	say("three")
	if got, err := hear(5 * time.Second); err != nil || strings.Contains(got, "three") {
		t.Fatalf("garbage: heard %q, %v", got, err)
	}
	set(faultproxy.Reset)
	if got, err := hear(5 * time.Second); !reset(err) {
		t.Fatalf("reset: heard %q, %v", got, err)
	}
	if proxy.Accepted() != 1 {
		t.Errorf("%d connections, there was one", proxy.Accepted())
	}
}

func ask(t *testing.T, p probe, addr string, within time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return p.ask(ctx, addr)
}

func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

func reset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func timedOut(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}
