package probes

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// info is Redis's answer to INFO: its fields by name.
type info map[string]string

// parseInfo reads lines of name:value; what begins with # is a heading.
func parseInfo(text string) (info, error) {
	i := make(info)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":"); ok && !strings.HasPrefix(name, "#") {
			i[name] = value
		}
	}
	if i["redis_version"] == "" {
		return nil, errors.New("INFO has no redis_version")
	}
	return i, nil
}

// number is a field's value, 0 where it has none: fields come and go with
// versions.
func (i info) number(name string) int64 {
	n, _ := strconv.ParseInt(i[name], 10, 64)
	return n
}

func (i info) seconds(name string) time.Duration {
	return time.Duration(i.number(name)) * time.Second
}

// cache is what one INFO says by itself.
func (i info) cache() Cache {
	return Cache{
		Version:    i["redis_version"],
		Role:       i["role"],
		Memory:     i.number("used_memory"),
		MaxMemory:  i.number("maxmemory"),
		Policy:     i["maxmemory_policy"],
		Clients:    int(i.number("connected_clients")),
		Blocked:    int(i.number("blocked_clients")),
		MaxClients: int(i.number("maxclients")),
		Keys:       i.keys(),
		Uptime:     i.seconds("uptime_in_seconds"),
	}
}

// keys adds up the keys of all databases: "db0:keys=12,expires=3,avg_ttl=0".
func (i info) keys() int64 {
	var sum int64
	for name, value := range i {
		number, ok := strings.CutPrefix(name, "db")
		if _, err := strconv.Atoi(number); !ok || err != nil {
			continue
		}
		keys, _, _ := strings.Cut(strings.TrimPrefix(value, "keys="), ",")
		n, _ := strconv.ParseInt(keys, 10, 64)
		sum += n
	}
	return sum
}

// counters is what INFO counts since the server's start, or since CONFIG
// RESETSTAT.
type counters struct {
	at     time.Time
	run    string // run_id: another one is another process
	uptime time.Duration

	hits, misses, evicted, expired, commands int64
}

func (i info) counters(at time.Time) counters {
	return counters{
		at:       at,
		run:      i["run_id"],
		uptime:   i.seconds("uptime_in_seconds"),
		hits:     i.number("keyspace_hits"),
		misses:   i.number("keyspace_misses"),
		evicted:  i.number("evicted_keys"),
		expired:  i.number("expired_keys"),
		commands: i.number("total_commands_processed"),
	}
}

// restartedSince tells whether another process answers than before, also where
// a failover or a managed service has put another one at the same address.
func (c counters) restartedSince(before counters) bool {
	return !before.at.IsZero() && (c.run != before.run || c.uptime < before.uptime)
}

// continues tells whether differences to before mean something: there is one,
// and nothing was counted from zero again.
func (c counters) continues(before counters) bool {
	return !before.at.IsZero() && c.at.After(before.at) &&
		c.hits >= before.hits && c.misses >= before.misses && c.evicted >= before.evicted &&
		c.expired >= before.expired && c.commands >= before.commands
}
