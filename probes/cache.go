package probes

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/erpgo/flightdeck/config"
)

// Cache is what INFO says of a Redis, rates over the last interval and not
// since its start.
type Cache struct {
	Version    string
	Role       string        // master or slave
	Over       time.Duration // the interval that the rates are over; 0 where there is none yet (the first reading, or after a restart): they mean nothing then
	HitRate    float64       // 0..1 over the last interval; NaN when nothing was looked up in it
	History    []Point       // of HitRate, oldest first, at most an hour
	Lookups    float64       // a second
	Memory     int64         // bytes used
	MaxMemory  int64         // bytes; 0 means no limit
	Policy     string        // maxmemory-policy
	Evicted    float64       // keys a second
	Expired    float64       // keys a second
	Commands   float64       // a second, our own two among them
	Clients    int
	Blocked    int
	MaxClients int // 0 when the server does not say (before Redis 7)
	Keys       int64
	Ping       time.Duration
	Uptime     time.Duration
	Restarted  bool // it is another process than at the last reading: rates start again
}

// hitRatePoints bounds Cache.History, however short the interval.
const hitRatePoints = 3600

// go-redis writes to standard error, which is under the screen.
func init() { logging.Disable() }

// CacheProbe reads Redis over one connection, with INFO and PING alone, after
// the HELLO that greets and authenticates.
type CacheProbe struct {
	backend
	cfg      config.Redis
	cell     *Cell[Cache]
	unusable error // why there is nothing to ask; nil otherwise
	client   *redis.Client

	whole    bool     // INFO takes one section only (before Redis 7): ask for all of the default ones
	last     counters // of the reading before; zero at first
	hitRates []Point
}

// NewCache returns the probe of the configured Redis. It connects when it runs.
func NewCache(cfg config.Redis, board *Board) *CacheProbe {
	p := &CacheProbe{
		backend: backend{
			name:     "redis",
			settings: "--redis or REDIS_URL",
			tls:      "that the URL begins with rediss:// only where Redis speaks TLS, and the server's certificate",
			timeout:  cfg.Timeout,
		},
		cfg:  cfg,
		cell: &board.Cache,
	}
	if cfg.URL == "" {
		p.unusable = notConfigured(p.settings)
		return p
	}
	options, err := redis.ParseURL(cfg.URL.Reveal())
	if err != nil {
		// The parser's own words may hold the password.
		p.unusable = errors.New("redis: its URL cannot be read; expected redis://user:password@host:port, or rediss:// for TLS")
		return p
	}
	p.where = options.Addr
	p.client = redis.NewClient(politely(options, cfg.Timeout))
	return p
}

// politely leaves of go-redis what one observer needs: one connection, no
// command but those it is asked to send, nothing tried twice behind our back,
// and the deadline of the context.
func politely(options *redis.Options, timeout time.Duration) *redis.Options {
	options.PoolSize, options.MaxActiveConns, options.PipelinePoolSize = 1, 1, -1
	options.MinIdleConns = 0
	options.MaxRetries, options.DialerRetries = -1, 1
	options.ContextTimeoutEnabled = true
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout, options.PoolTimeout = timeout, timeout, timeout, timeout
	options.Protocol = 2 // no pushes
	options.DB = 0       // INFO tells of all of them: no SELECT
	options.ClientName = ""
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return options
}

// Name is what the header calls Redis.
func (p *CacheProbe) Name() string { return "redis" }

// Run reads until ctx ends.
func (p *CacheProbe) Run(ctx context.Context) error {
	if p.unusable == nil {
		poll(ctx, p.cell, p.cfg.Pace, p.take)
		_ = p.client.Close()
	} else {
		p.cell.fail(p.unusable, time.Now())
	}
	return nil
}

func (p *CacheProbe) take(ctx context.Context) (Cache, error) {
	i, err := p.info(ctx)
	if err != nil {
		return Cache{}, p.explain(err)
	}
	at := time.Now()
	if i["loading"] == "1" {
		return Cache{}, p.loading(i)
	}
	if err := p.client.Ping(ctx).Err(); err != nil {
		return Cache{}, p.explain(err)
	}
	c := i.cache()
	c.Ping = time.Since(at)
	p.measure(&c, i.counters(at))
	return c, nil
}

// info asks for the sections that hold what a Cache shows. None of them costs
// Redis more where there are more keys.
func (p *CacheProbe) info(ctx context.Context) (info, error) {
	var sections []string
	if !p.whole {
		sections = []string{"server", "clients", "memory", "persistence", "stats", "replication", "keyspace"}
	}
	text, err := p.client.Info(ctx, sections...).Result()
	if !p.whole && err != nil && err.Error() == "ERR syntax error" {
		p.whole = true
		return p.info(ctx)
	}
	if err != nil {
		return nil, err
	}
	return parseInfo(text)
}

// measure adds what the interval since the last reading tells.
func (p *CacheProbe) measure(c *Cache, now counters) {
	before := p.last
	p.last = now
	c.Restarted = now.restartedSince(before)
	c.HitRate = math.NaN()
	if !c.Restarted && now.continues(before) {
		c.Over = now.at.Sub(before.at)
		hits, misses := now.hits-before.hits, now.misses-before.misses
		if hits+misses > 0 {
			c.HitRate = float64(hits) / float64(hits+misses)
		}
		perSecond := func(n int64) float64 { return float64(n) / c.Over.Seconds() }
		c.Lookups = perSecond(hits + misses)
		c.Evicted = perSecond(now.evicted - before.evicted)
		c.Expired = perSecond(now.expired - before.expired)
		c.Commands = perSecond(now.commands - before.commands)
	}
	// Readings share the array: it is only ever written behind what they see.
	p.hitRates = append(p.hitRates, Point{At: now.at, Value: c.HitRate})
	for len(p.hitRates) > hitRatePoints || now.at.Sub(p.hitRates[0].At) > historySpan {
		p.hitRates = p.hitRates[1:]
	}
	c.History = p.hitRates[:len(p.hitRates):len(p.hitRates)]
}
