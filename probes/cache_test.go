//go:build unix

package probes

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

func redisAt(url string) config.Redis {
	return config.Redis{URL: config.Secret(url), Pace: pace}
}

// newCache is a probe whose connection ends with the test.
func newCache(t *testing.T, url string) *CacheProbe {
	t.Helper()
	p := NewCache(redisAt(url), NewBoard(1))
	if p.client != nil {
		t.Cleanup(func() { _ = p.client.Close() })
	}
	return p
}

func takeCache(t *testing.T, p *CacheProbe) (Cache, error) {
	t.Helper()
	if p.unusable != nil {
		return Cache{}, p.unusable
	}
	ctx, cancel := context.WithTimeout(t.Context(), pace.Timeout)
	defer cancel()
	return p.take(ctx)
}

// newApp is the application's own client, with Redis's words for what it does.
func newApp(t *testing.T, url string) func(args ...any) {
	t.Helper()
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(options)
	t.Cleanup(func() { _ = c.Close() })
	return func(args ...any) {
		t.Helper()
		if err := c.Do(context.Background(), args...).Err(); err != nil && !errors.Is(err, redis.Nil) {
			t.Fatalf("%v: %v", args, err)
		}
	}
}

func TestCacheRatesAreOverTheInterval(t *testing.T) {
	rd := testenv.StartRedis(t, testenv.RedisOptions{Settings: map[string]string{"maxmemory": "2mb", "maxmemory-policy": "allkeys-lru"}})
	app := newApp(t, rd.URL())
	for range 50 { // long ago, all misses
		app("get", "nothing")
	}
	p := newCache(t, rd.URL())
	first, err := takeCache(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(first.HitRate) || first.Over != 0 || first.Lookups != 0 || first.Restarted {
		t.Errorf("the first reading has rates: %+v", first)
	}
	if !strings.HasPrefix(first.Version, "7.") || first.Role != "master" || first.MaxMemory != 2<<20 || first.Policy != "allkeys-lru" ||
		first.Memory < 1<<19 || first.Clients != 2 || first.MaxClients == 0 || first.Keys != 0 || first.Ping <= 0 {
		t.Errorf("the first reading is %+v", first)
	}

	app("set", "a", 1)
	app("select", 0)
	for range 3 {
		app("get", "a")
	}
	app("get", "nothing")
	second, err := takeCache(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if second.HitRate != 0.75 || second.Keys != 1 || second.Over <= 0 {
		t.Errorf("hit rate %v over %v with %d keys; want 0.75 of 4 lookups, 1 key", second.HitRate, second.Over, second.Keys)
	}
	if got, want := second.Lookups*second.Over.Seconds(), 4.0; math.Abs(got-want) > 1e-6 {
		t.Errorf("%v lookups; want %v", got, want)
	}

	third, err := takeCache(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(third.HitRate) || third.Lookups != 0 || third.Commands <= 0 {
		t.Errorf("nothing was looked up, and the reading says %v, %v /s", third.HitRate, third.Lookups)
	}
	if len(third.History) != 3 || !math.IsNaN(third.History[0].Value) || third.History[1].Value != 0.75 || len(second.History) != 2 {
		t.Errorf("the history is %v, and before that %v", third.History, second.History)
	}
}

func TestCacheCountsEvictionsAndExpirations(t *testing.T) {
	rd := testenv.StartRedis(t, testenv.RedisOptions{Settings: map[string]string{"maxmemory": "2mb", "maxmemory-policy": "allkeys-lru"}})
	app := newApp(t, rd.URL())
	p := newCache(t, rd.URL())
	if _, err := takeCache(t, p); err != nil {
		t.Fatal(err)
	}
	for n := range 60 {
		app("set", fmt.Sprintf("big%d", n), strings.Repeat("x", 64<<10))
	}
	app("set", "brief", 1, "px", 1)
	var expired, evicted float64
	await(t, "an eviction and an expiration", func() bool {
		app("exists", "brief")
		c, err := takeCache(t, p)
		if err != nil {
			t.Fatal(err)
		}
		evicted += c.Evicted * c.Over.Seconds()
		expired += c.Expired * c.Over.Seconds()
		return evicted >= 1 && expired >= 0.99
	})
}

func TestCacheCountersStartAgain(t *testing.T) {
	rd := testenv.StartRedis(t, testenv.RedisOptions{})
	app := newApp(t, rd.URL())
	p := newCache(t, rd.URL())
	app("get", "nothing")
	if _, err := takeCache(t, p); err != nil {
		t.Fatal(err)
	}
	app("config", "resetstat")
	c, err := takeCache(t, p)
	if err != nil || c.Restarted || c.Over != 0 || c.Lookups != 0 || !math.IsNaN(c.HitRate) {
		t.Errorf("after CONFIG RESETSTAT: %+v, %v; want no rates", c, err)
	}
	if err := rd.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, "a reading after the restart", func() bool { c, err = takeCache(t, p); return err == nil })
	if !c.Restarted || c.Over != 0 || !math.IsNaN(c.HitRate) {
		t.Errorf("after a restart: %+v; want Restarted and no rates", c)
	}
	if c, err = takeCache(t, p); err != nil || c.Restarted || c.Over == 0 {
		t.Errorf("the one after that: %+v, %v", c, err)
	}
}

func TestCacheFaults(t *testing.T) {
	rd := testenv.StartRedis(t, testenv.RedisOptions{Settings: map[string]string{"maxmemory": "2mb"}})
	proxy := testenv.NewProxy(t, rd.Addr)
	p := NewCache(redisAt(strings.Replace(rd.URL(), rd.Addr, proxy.Addr, 1)), NewBoard(1))
	runProbe(t, p)
	pass := func() error { return proxy.Set(faultproxy.Pass) }
	for name, c := range map[string]struct {
		fault, heal func() error
		says        string
	}{
		"refuse":  {func() error { return proxy.Set(faultproxy.Refuse) }, pass, "connection refused"},
		"hang":    {func() error { return proxy.Set(faultproxy.Hang) }, pass, "timeout: no answer within 1.5s"},
		"garbage": {func() error { return proxy.Set(faultproxy.Garbage) }, pass, "makes no sense"},
		"reset":   {func() error { return proxy.Set(faultproxy.Reset) }, pass, "connection was lost"},
		"stopped": {rd.Stop, func() error { return rd.Start(t.Context()) }, "redis"},
		"paused":  {rd.Pause, rd.Resume, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			good := awaitGood(t, p.cell, time.Time{})
			if err := c.fault(); err != nil {
				t.Fatal(err)
			}
			r := awaitReading(t, p.cell, c.says, func(r Reading[Cache]) bool {
				return r.Err != nil && strings.Contains(r.Err.Error(), c.says)
			})
			if r.TakenAt.Before(good.TakenAt) || r.Value.MaxMemory != 2<<20 || r.State(time.Now()) != Stale {
				t.Errorf("while broken, the reading is of %v with %d bytes, %v", r.TakenAt, r.Value.MaxMemory, r.State(time.Now()))
			}
			healed := time.Now()
			if err := c.heal(); err != nil {
				t.Fatal(err)
			}
			awaitGood(t, p.cell, healed)
		})
	}
}

// bareRedis speaks to Redis without a library, which would send commands of its
// own.
func bareRedis(t *testing.T, rd *testenv.Redis) (send func(line string), next func() string) {
	t.Helper()
	conn, err := net.Dial("tcp", rd.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(conn)
	next = func() string {
		t.Helper()
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	send = func(line string) {
		t.Helper()
		if _, err := fmt.Fprintf(conn, "%s\r\n", line); err != nil {
			t.Fatal(err)
		}
	}
	send("AUTH " + rd.Password)
	if reply := next(); reply != "+OK" {
		t.Fatalf("AUTH: %s", reply)
	}
	return send, next
}

// MONITOR shows every command that reaches a server: ours are INFO and PING,
// after the HELLO of each connection.
func TestCacheSendsOnlyInfoAndPing(t *testing.T) {
	rd := testenv.StartRedis(t, testenv.RedisOptions{})
	monitor, next := bareRedis(t, rd)
	monitor("MONITOR")
	if reply := next(); reply != "+OK" {
		t.Fatalf("MONITOR: %s", reply)
	}
	proxy := testenv.NewProxy(t, rd.Addr)
	url := strings.Replace(strings.TrimSuffix(rd.URL(), "/0"), rd.Addr, proxy.Addr, 1)
	p := NewCache(redisAt(url+"/3?client_name=x&min_idle_conns=5"), NewBoard(1))
	runProbe(t, p)
	for range 3 {
		awaitGood(t, p.cell, time.Now())
		if err := proxy.Set(faultproxy.Reset); err != nil {
			t.Fatal(err)
		}
		awaitReading(t, p.cell, "a lost connection", func(r Reading[Cache]) bool { return r.Err != nil })
		if err := proxy.Set(faultproxy.Pass); err != nil {
			t.Fatal(err)
		}
	}
	awaitGood(t, p.cell, time.Now())
	last, _ := bareRedis(t, rd)
	last("ECHO the-end")

	seen := map[string]int{}
	for seen["echo"] == 0 {
		_, command, _ := strings.Cut(next(), "] ")
		verb, _, _ := strings.Cut(command, " ")
		seen[strings.ToLower(strings.Trim(verb, `"`))]++
	}
	// AUTH is the test's own.
	for verb, n := range map[string]int{"hello": 4, "info": 4, "ping": 4} {
		if seen[verb] < n {
			t.Errorf("the server saw %v; want %s at least %d times", seen, verb, n)
		}
		delete(seen, verb)
	}
	delete(seen, "echo")
	delete(seen, "auth")
	if len(seen) > 0 {
		t.Errorf("the server saw %v besides", seen)
	}
}

// However long it takes, and whatever breaks, there is never a second
// connection.
func TestCacheHasOneConnection(t *testing.T) {
	rd := testenv.StartRedis(t, testenv.RedisOptions{})
	send, next := bareRedis(t, rd)
	p := NewCache(redisAt(rd.URL()), NewBoard(1))
	runProbe(t, p)
	for range 20 {
		r := awaitGood(t, p.cell, time.Now())
		if r.Value.Clients != 2 {
			t.Fatalf("%d clients; want ours and the test's", r.Value.Clients)
		}
	}
	send("CLIENT KILL TYPE normal SKIPME yes")
	if reply := next(); reply != ":1" {
		t.Errorf("connections of the cockpit's: %s; want 1", reply)
	}
	if r := awaitGood(t, p.cell, time.Now()); r.Value.Clients != 2 {
		t.Errorf("%d clients after a reconnect; want 2", r.Value.Clients)
	}
}

func TestCacheNotConfigured(t *testing.T) {
	p := NewCache(config.Redis{}, NewBoard(1))
	runProbe(t, p)
	r := awaitReading(t, p.cell, "a reading", func(r Reading[Cache]) bool { return r.Err != nil })
	if !errors.Is(r.Err, ErrNotConfigured) || !strings.Contains(r.Err.Error(), "REDIS_URL") {
		t.Errorf("the reading says %v", r.Err)
	}
}
