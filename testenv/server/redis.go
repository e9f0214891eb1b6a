//go:build unix

package server

import (
	"context"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"

	"github.com/erpgo/flightdeck/testenv/loopback"
)

// RedisOptions says how a Redis server is set up.
type RedisOptions struct {
	Settings map[string]string // of redis.conf, over the defaults
}

// redisDefaults keep everything in memory, within bounds.
var redisDefaults = map[string]string{
	"maxmemory":        "64mb",
	"maxmemory-policy": "allkeys-lru",
	"save":             "",
	"appendonly":       "no",
	"daemonize":        "no",
}

// Redis is a Redis server that asks for a password.
type Redis struct {
	Process
	Addr     string // host:port on loopback
	Password string
}

// NewRedis starts a server that works in the folder.
func NewRedis(ctx context.Context, folder string, options RedisOptions) (*Redis, error) {
	path, err := Find("redis-server")
	if err != nil {
		return nil, err
	}
	rd := &Redis{Password: NewPassword()}
	err = onFreePort(ctx, func(port int) error {
		settings := maps.Clone(redisDefaults)
		maps.Copy(settings, options.Settings)
		settings["bind"], settings["port"], settings["dir"] = "127.0.0.1", strconv.Itoa(port), folder
		settings["requirepass"] = rd.Password
		config, err := writeRedisConfig(folder, settings)
		if err != nil {
			return err
		}
		rd.Addr = loopback.Addr(port)
		rd.command = command{
			name:   "redis",
			path:   path,
			args:   []string{config},
			dir:    folder,
			stop:   syscall.SIGTERM,
			orphan: syscall.SIGKILL,
			healthy: func(ctx context.Context) error {
				return ping(ctx, rd.URL())
			},
		}
		return rd.Start(ctx)
	})
	if err != nil {
		return nil, err
	}
	return rd, nil
}

// writeRedisConfig puts the settings into a file only its owner can read: the
// password among them would be plain in a list of processes.
func writeRedisConfig(folder string, settings map[string]string) (string, error) {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s %q\n", name, settings[name])
	}
	path := filepath.Join(folder, "redis.conf")
	return path, os.WriteFile(path, []byte(text.String()), 0o600)
}

// ping asks over a connection of its own. It looks first whether anybody
// listens, because the client would write that nobody does to standard error.
func ping(ctx context.Context, address string) error {
	options, err := redis.ParseURL(address)
	if err != nil {
		return err
	}
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", options.Addr)
	if err != nil {
		return err
	}
	_ = conn.Close()
	options.ContextTimeoutEnabled, options.MaxRetries, options.DialerRetries, options.PoolSize = true, -1, 1, 1
	options.DisableIdentity = true
	client := redis.NewClient(options)
	defer client.Close()
	return client.Ping(ctx).Err()
}

// URL connects to database 0.
func (rd *Redis) URL() string {
	return (&url.URL{Scheme: "redis", User: url.UserPassword("", rd.Password), Host: rd.Addr, Path: "/0"}).String()
}
