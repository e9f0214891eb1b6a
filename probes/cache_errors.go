package probes

import (
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// explain puts what to do next beside what went wrong. It never holds a
// password: messages are the server's and the network's own.
func (p *CacheProbe) explain(err error) error {
	var refusal redis.Error
	switch {
	case errors.As(err, &refusal):
	case isTimeout(err) && p.client.Options().TLSConfig != nil:
		// A Redis without TLS waits for the rest of what it takes for a command.
		return p.failf("timeout: %w; check the network, whether the server hangs, and whether it speaks TLS at all (redis:// is without)", noAnswer{within: p.timeout})
	default:
		return p.unreachable(err)
	}
	says := refusal.Error()
	for _, known := range []struct{ sign, what, next string }{
		{"NOAUTH", "authentication failed", "put the password into REDIS_URL"},
		{"WRONGPASS", "authentication failed", "check the user and the password in REDIS_URL"},
		{"ERR invalid password", "authentication failed", "check the password in REDIS_URL"},
		{"ERR AUTH", "authentication failed", "check the user and the password in REDIS_URL"},
		{"ERR Client sent AUTH", "authentication failed", "leave the password out of REDIS_URL"},
		{"NOPERM", "not permitted", "allow the user +info and +ping"},
		{"DENIED", "refused", "Redis is in protected mode: set a password there"},
		{"ERR max number of clients", "too many connections", "close some, or raise maxclients"},
		{"LOADING", "loading", "it answers when its data is in memory"},
		{"BUSY", "busy", "a script runs and blocks all others; SCRIPT KILL ends one that has not written"},
		{"MASTERDOWN", "cut off", "this replica has lost its master and serves nothing until it is back"},
	} {
		if strings.HasPrefix(says, known.sign) {
			return p.failf("%s: %w; %s", known.what, refusal, known.next)
		}
	}
	return p.failf("%w", refusal)
}

// loading says how far Redis has come with reading its data from disk.
func (p *CacheProbe) loading(i info) error {
	return p.failf("loading: %s %% of its data is in memory, about %v to go; until then it answers nothing else",
		i["loading_loaded_perc"], max(i.seconds("loading_eta_seconds"), time.Second))
}
