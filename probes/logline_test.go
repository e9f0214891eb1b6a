package probes

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseLine(t *testing.T) {
	tests := map[string]struct {
		raw  string
		want parsed
	}{
		"zap": {
			`{"level":"error","ts":1767366245.118,"caller":"orders/create.go:41","msg":"order create failed","err":"relation \"order_tax\" does not exist","path":"/api/v1/orders","took":0.12}`,
			parsed{LevelError, "order create failed", []Field{
				{"caller", "orders/create.go:41"}, {"err", `relation "order_tax" does not exist`}, {"path", "/api/v1/orders"}, {"took", "0.12"},
			}},
		},
		"slog": {
			`{"time":"2026-01-02T15:04:05Z","level":"WARN+1","msg":"pool acquire slow","wait":{"ms":1800,"of":[1,"]"]},"ok":true,"none":null}`,
			parsed{LevelWarn, "pool acquire slow", []Field{{"wait", `{"ms":1800,"of":[1,"]"]}`}, {"ok", "true"}, {"none", "null"}}},
		},
		"zerolog without a message": {
			`{"level":"fatal","error":"no route to host","time":"2026-01-02T15:04:05Z"}`,
			parsed{LevelFatal, "no route to host", []Field{}},
		},
		"bunyan": {
			`{"name":"api","hostname":"h","pid":9,"level":40,"msg":"slow","time":"2026-01-02T15:04:05.678Z","v":0}`,
			parsed{LevelWarn, "slow", []Field{{"name", "api"}, {"hostname", "h"}, {"pid", "9"}, {"v", "0"}}},
		},
		"GELF": {
			`{"version":"1.1","short_message":"disk full","level":3}`,
			parsed{LevelError, "disk full", []Field{{"version", "1.1"}}},
		},
		"structlog": {
			`{"event": "login failed", "level": "info", "user": "user42"}`,
			parsed{LevelInfo, "login failed", []Field{{"user", "user42"}}},
		},
		"Google Cloud": {
			"  {\"severity\":\"CRITICAL\",\n\"message\":\"tab\\there\"}",
			parsed{LevelFatal, "tab\there", nil},
		},
		"JSON that is data": {
			`{"id":1,"total":12.5}`,
			parsed{"", `{"id":1,"total":12.5}`, nil},
		},
		"JSON cut short": {
			`{"level":"error","msg":"cut`,
			parsed{"", `{"level":"error","msg":"cut`, nil},
		},
		"logrus": {
			`time="2026-01-02T15:04:05Z" level=warning msg="pool acquire \"slow\"" wait=1.8s`,
			parsed{LevelWarn, `pool acquire "slow"`, []Field{{"wait", "1.8s"}}},
		},
		"logfmt without quotes": {
			`level=info msg=login ok for user=user42 note="open`,
			parsed{LevelInfo, "login ok for", []Field{{"user", "user42"}, {"note", `"open`}}},
		},
		"pairs that are no log line": {
			`a=1 b=2`,
			parsed{"", "a=1 b=2", nil},
		},
		"klog": {
			`W0102 15:04:05.678901       1 reflector.go:561] watch of *v1.Pod ended`,
			parsed{LevelWarn, "watch of *v1.Pod ended", []Field{{"source", "reflector.go:561"}}},
		},
		"klog with structure": {
			`E0102 15:04:05.678901   12345 server.go:97] "Failed to \"sync\"" pod="erpgo/api" err="timed out" retry=3`,
			parsed{LevelError, `Failed to "sync"`, []Field{{"source", "server.go:97"}, {"pod", "erpgo/api"}, {"err", "timed out"}, {"retry", "3"}}},
		},
		"plain": {
			`2026-01-02T15:04:05.678Z ERROR order create failed path=/api/v1/orders`,
			parsed{LevelError, "order create failed path=/api/v1/orders", nil},
		},
		"Python": {
			`2026-01-02 15:04:05,678 - erpgo.orders - ERROR - order create failed`,
			parsed{LevelError, "order create failed", []Field{{"logger", "erpgo.orders"}}},
		},
		"Python without a time": {
			`WARNING:erpgo.pool:acquire slow`,
			parsed{LevelWarn, "erpgo.pool:acquire slow", nil},
		},
		"nginx": {
			`2026/01/02 15:04:05 [crit] 12#12: *1 open() failed`,
			parsed{LevelFatal, "12#12: *1 open() failed", nil},
		},
		"PostgreSQL": {
			`2026-01-02 15:04:05.678 UTC [4411] ERROR:  relation "order_tax" does not exist`,
			parsed{LevelError, `relation "order_tax" does not exist`, nil},
		},
		"logback": {
			`15:04:05.678 [main] WARN  c.e.Orders - slow`,
			parsed{LevelWarn, "c.e.Orders - slow", []Field{{"logger", "main"}}},
		},
		"zap's console": {
			"2026-01-02T15:04:05.678Z\tINFO\torders/create.go:41\tlogin ok",
			parsed{LevelInfo, "orders/create.go:41\tlogin ok", nil},
		},
		"syslog's time": {
			`Fri Jan  2 15:04:05 2026 [error] denied`,
			parsed{LevelError, "denied", nil},
		},
		"uvicorn": {
			`INFO:     10.4.8.15:51234 - "GET / HTTP/1.1" 200 OK`,
			parsed{LevelInfo, `10.4.8.15:51234 - "GET / HTTP/1.1" 200 OK`, nil},
		},
		"coloured": {
			"\x1b[90m15:04:05\x1b[0m \x1b[31mERR\x1b[0m boom",
			parsed{LevelError, "boom", nil},
		},
		"a level in a sentence": {
			`Server ERROR pages are cached`,
			parsed{"", "Server ERROR pages are cached", nil},
		},
		"a word that begins like a level": {
			`Information desk opened`,
			parsed{"", "Information desk opened", nil},
		},
		"a level that is only the start of a word": {
			`ERROR_CODE 17`,
			parsed{"", "ERROR_CODE 17", nil},
		},
		"a stack trace": {
			"\tat com.erpgo.Orders.create(Orders.java:41)",
			parsed{"", "\tat com.erpgo.Orders.create(Orders.java:41)", nil},
		},
		"only a level":    {"ERROR", parsed{LevelError, "", nil}},
		"nothing":         {"", parsed{}},
		"nothing visible": {" \x1b[0m ", parsed{"", " \x1b[0m ", nil}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := parseLine(test.raw)
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(parsed{})); diff != "" {
				t.Errorf("parseLine(%q): -want +got\n%s", test.raw, diff)
			}
		})
	}
}

// FuzzParseLine checks what holds for any line: it is read without a panic,
// its level is one of ours, and nothing grows beyond what was written (an
// escape may become at most a replacement character).
func FuzzParseLine(f *testing.F) {
	for _, seed := range []string{
		`{"level":"error","msg":"m","a":{"b":[1,"}"]},"c":"\u0000"}`,
		`level=info msg="a b" c=d e`,
		`E0102 15:04:05.678901 1 a.go:1] "m" k="v"`,
		`2026-01-02 15:04:05 [error] x`,
		"\x1b[31mERR\x1b[0m", `{}`, `{"`, `=`, `a="`, "\xff\xfe", `[`, `{"a":1 }`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		line := parseLine(raw)
		switch line.level {
		case "", LevelDebug, LevelInfo, LevelWarn, LevelError, LevelFatal:
		default:
			t.Errorf("level %q", line.level)
		}
		size := len(line.message)
		for _, field := range line.fields {
			size += len(field.Key) + len(field.Value)
		}
		if limit := 3*len(raw) + len("source") + len("logger"); size > limit {
			t.Errorf("%d bytes of message and fields from %d bytes", size, len(raw))
		}
		if line.level == "" && len(line.fields) == 0 && !strings.HasPrefix(raw, "{") && line.message == "" && strings.TrimSpace(raw) != "" &&
			!strings.Contains(raw, "=") {
			t.Errorf("%q has lost its text", raw)
		}
	})
}

func BenchmarkParseLine(b *testing.B) {
	lines := map[string]string{
		"json":  `{"level":"error","ts":"2026-01-02T15:04:05.678Z","msg":"order create failed","err":"relation \"order_tax\" does not exist","path":"/api/v1/orders","status":500}`,
		"plain": `2026-01-02T15:04:05.678Z ERROR order create failed path=/api/v1/orders status=500`,
		"none":  `10.4.8.15 - - [02/Jan/2026:15:04:05 +0000] "GET /api/v1/orders HTTP/1.1" 500 17`,
	}
	for name, line := range lines {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				parseLine(line)
			}
		})
	}
}
