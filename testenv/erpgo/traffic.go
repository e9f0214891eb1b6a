package erpgo

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
)

// traffic is ERPGo's users and what serves them. Requests come at a steady
// pace; each is served by a pod that runs, over the real database and cache.
type traffic struct {
	cluster *cluster
	logs    *podLogs
	metrics *metrics
	faults  *faults
	pool    *pgxpool.Pool
	redis   *redis.Client

	requests sync.WaitGroup
	seats    chan struct{} // bounds the requests in flight
}

const (
	requestsPerSecond = 25
	requestsInFlight  = 8
	// backendTimeout is how long a request waits for the database or the cache.
	backendTimeout = 500 * time.Millisecond
)

// endpoint is one of ERPGo's, as its metrics label it.
type endpoint struct {
	method, path string
	share        int     // of a hundred requests
	seconds      float64 // median time that it takes
	serve        func(*traffic, context.Context) error
}

var endpoints = []endpoint{
	{"GET", "/api/v1/products/{id}", 45, 0.02, (*traffic).showProduct},
	{"GET", "/api/v1/orders", 20, 0.04, (*traffic).listOrders},
	{"POST", "/api/v1/orders", 15, 0.06, (*traffic).placeOrder},
	{"POST", "/api/v1/login", 10, 0.09, (*traffic).logIn},
	{"PUT", "/api/v1/users/{id}", 6, 0.05, (*traffic).changeUser},
	{"GET", "/api/v1/reports/monthly", 4, 0.25, (*traffic).reportMonth},
}

// run sends requests until ctx ends, and returns when the last is answered.
func (t *traffic) run(ctx context.Context) {
	t.seats = make(chan struct{}, requestsInFlight)
	tick := time.NewTicker(time.Second / requestsPerSecond)
	defer tick.Stop()
	defer t.requests.Wait()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		pods := t.cluster.running(Deployment)
		if len(pods) == 0 {
			continue // nobody answers, and nobody counts it
		}
		pod := pods[rand.IntN(len(pods))]
		select {
		case t.seats <- struct{}{}:
			t.requests.Go(func() {
				defer func() { <-t.seats }()
				t.request(ctx, pod, pick(rand.IntN(100)))
			})
		default:
			t.answer(pod, pick(rand.IntN(100)), 503, backendTimeout, fmt.Errorf("too many requests in flight"))
		}
	}
}

func pick(percent int) endpoint {
	for _, e := range endpoints {
		if percent -= e.share; percent < 0 {
			return e
		}
	}
	return endpoints[0]
}

// request serves one request. The release decides what its code is worth: a bad
// one fails on two requests in five. A good one fails on one in five hundred.
func (t *traffic) request(ctx context.Context, pod string, e endpoint) {
	began := time.Now()
	bounded, cancel := context.WithTimeout(ctx, backendTimeout)
	defer cancel()
	err := e.serve(t, bounded)
	if ctx.Err() != nil {
		return
	}
	status := 200
	switch fails := rand.Float64(); {
	case err != nil:
		status = 500
	case t.cluster.image(pod) == badImage && fails < 0.4:
		status, err = 500, fmt.Errorf("nil pointer dereference in pricing.Discount")
	case fails < 0.002:
		status, err = 502, fmt.Errorf("payment gateway closed the connection")
	}
	took := time.Since(began) + t.work(e)
	t.answer(pod, e, status, took, err)
}

// work is the time that a request would spend in ERPGo's own code. It is not
// spent: the traffic is to cost little.
func (t *traffic) work(e endpoint) time.Duration {
	seconds := e.seconds * math.Exp(0.5*rand.NormFloat64())
	if t.faults.is("slow") {
		seconds = 0.8 + 10*seconds
	}
	return time.Duration(seconds * float64(time.Second))
}

func (t *traffic) answer(pod string, e endpoint, status int, took time.Duration, failure error) {
	t.metrics.requests.WithLabelValues(strconv.Itoa(status), e.path, e.method).Inc()
	t.metrics.duration.WithLabelValues(e.path).Observe(took.Seconds())
	client := officeAddress(rand.IntN(200))
	if failure != nil {
		t.logs.line(pod, "ERROR", "http", client, "%s %s status=%d duration=%s error=%q", e.method, e.path, status, took.Round(time.Millisecond), failure)
		return
	}
	t.logs.line(pod, "INFO", "http", client, "%s %s status=%d duration=%s", e.method, e.path, status, took.Round(time.Millisecond))
	if took > time.Second {
		t.logs.line(pod, "WARN", "db", e.path, "slow query duration=%s sql=%q", took.Round(time.Millisecond), "SELECT id, total FROM orders WHERE user_id = $1")
	}
}

func (t *traffic) showProduct(ctx context.Context) error {
	id := 1 + rand.IntN(1000)
	hit, err := t.lookup(ctx, "product", strconv.Itoa(id))
	if err != nil || hit {
		return err
	}
	var name string
	return t.pool.QueryRow(ctx, "SELECT name FROM products WHERE id = $1", id).Scan(&name)
}

func (t *traffic) listOrders(ctx context.Context) error {
	if _, err := t.lookup(ctx, "permission", userName()); err != nil {
		return err
	}
	var orders int
	return t.pool.QueryRow(ctx, "SELECT count(*) FROM orders WHERE user_id = $1", userName()).Scan(&orders)
}

func (t *traffic) placeOrder(ctx context.Context) error {
	if _, err := t.lookup(ctx, "permission", userName()); err != nil {
		return err
	}
	_, err := t.pool.Exec(ctx, "INSERT INTO orders (user_id, product_id, quantity) VALUES ($1, $2, $3)",
		userName(), 1+rand.IntN(1000), 1+rand.IntN(5))
	return err
}

func (t *traffic) logIn(ctx context.Context) error {
	if _, err := t.lookup(ctx, "session", userName()); err != nil {
		return err
	}
	return t.audit(ctx, userName(), "login", officeAddress(rand.IntN(200)))
}

func (t *traffic) changeUser(ctx context.Context) error {
	if _, err := t.lookup(ctx, "permission", userName()); err != nil {
		return err
	}
	_, err := t.pool.Exec(ctx, "UPDATE users SET email = email WHERE id = $1", userName())
	return err
}

func (t *traffic) reportMonth(ctx context.Context) error {
	var total float64
	return t.pool.QueryRow(ctx, `SELECT coalesce(sum(o.quantity * p.price), 0)::float8
		FROM orders o JOIN products p ON p.id = o.product_id
		WHERE o.created_at > now() - interval '1 month'`).Scan(&total)
}

// lookup reads a key from the cache and fills it when it is not there. With the
// fault, keys are new at every other lookup and their values large, as when a
// release changes the key's format: the cache misses, fills up, and evicts.
func (t *traffic) lookup(ctx context.Context, kind, id string) (hit bool, err error) {
	key, value := kind+":"+id, "cached"
	if t.faults.is("cache") && rand.IntN(2) == 0 {
		key += ":v" + strconv.Itoa(rand.Int())
		value = largeValue
	} else if rand.IntN(100) < 5 {
		t.redis.Del(ctx, key) // it has been changed meanwhile
	}
	switch err := t.redis.Get(ctx, key).Err(); {
	case err == nil:
		hit = true
	case errors.Is(err, redis.Nil):
		if err := t.redis.Set(ctx, key, value, 10*time.Minute).Err(); err != nil {
			return false, fmt.Errorf("cache: %w", err)
		}
		t.metrics.cacheOps.WithLabelValues("set", "ok").Inc()
		if pods := t.cluster.running(Deployment); len(pods) > 0 {
			t.logs.line(pods[rand.IntN(len(pods))], "DEBUG", "cache", kind+":*", "cache miss key=%s", key)
		}
	default:
		return false, fmt.Errorf("cache: %w", err)
	}
	t.metrics.looked(kind, hit)
	return hit, nil
}

var largeValue = string(make([]byte, 200<<10))

// warm fills the cache, as ERPGo does when it is deployed.
func (t *traffic) warm(ctx context.Context) error {
	_, err := t.redis.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for id := range 1000 {
			pipe.Set(ctx, "product:"+strconv.Itoa(id+1), "cached", 0)
		}
		for id := range 200 {
			for _, kind := range []string{"permission", "session"} {
				pipe.Set(ctx, fmt.Sprintf("%s:user%04d", kind, id+1), "cached", 0)
			}
		}
		return nil
	})
	return err
}

func userName() string { return fmt.Sprintf("user%04d", 1+rand.IntN(200)) }

// officeAddress is one of the users' own network.
func officeAddress(n int) string { return fmt.Sprintf("10.4.8.%d", 1+n) }
