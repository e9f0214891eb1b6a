//go:build unix

package bench

import (
	"net/url"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
	"github.com/erpgo/flightdeck/ui/screentest"
)

// BenchmarkFirstFrame measures how soon there is something to look at when
// every backend accepts connections and then says nothing. One operation is ten
// starts.
func BenchmarkFirstFrame(b *testing.B) {
	env := testenv.Shared(b)
	variables := []string{
		"KUBECONFIG=" + hungKubeconfig(b, env.Kubeconfig),
		"PROMETHEUS_URL=" + hung(b, env.PrometheusURL),
		"ALERTMANAGER_URL=" + hung(b, env.AlertmanagerURL),
		"DATABASE_URL=" + hung(b, env.DatabaseURL),
		"REDIS_URL=" + hung(b, env.RedisURL),
	}
	var firstByte, firstFrame []time.Duration
	for b.Loop() {
		for range starts {
			term := screentest.Exec(b, cockpit(b, variables...), 120, 40)
			term.WaitFor(drawn, "the first frame")
			firstFrame = append(firstFrame, term.Since())
			firstByte = append(firstByte, term.FirstByte())
			term.End()
		}
	}
	b.ReportMetric(0, "ns/op") // of ten starts and ends: of no use
	report(b, "first-byte", firstByte)
	report(b, "first-frame", firstFrame)
}

// hung is the URL of the same server behind a proxy that never lets it answer.
func hung(b *testing.B, server string) string {
	b.Helper()
	u, err := url.Parse(server)
	if err != nil {
		b.Fatal("one of the environment's URLs cannot be parsed") // it holds a password
	}
	proxy := testenv.NewProxy(b, u.Host)
	if err := proxy.Set(faultproxy.Hang); err != nil {
		b.Fatal(err)
	}
	u.Host = proxy.Addr
	return u.String()
}

// hungKubeconfig is the path of the same kubeconfig with its API server behind
// such a proxy.
func hungKubeconfig(b *testing.B, path string) string {
	b.Helper()
	kubeconfig, err := clientcmd.LoadFromFile(path)
	if err != nil {
		b.Fatal(err)
	}
	for _, cluster := range kubeconfig.Clusters {
		cluster.Server = hung(b, cluster.Server)
	}
	into := filepath.Join(b.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*kubeconfig, into); err != nil {
		b.Fatal(err)
	}
	return into
}

// drawn tells whether the whole home screen stands, from its header to its keys.
func drawn(s *screentest.Screen) bool {
	for _, text := range []string{"FLIGHTDECK", "1 Alerts", "2 Pods", "3 Database", "4 Cache", "5 Failed logins", "6 Logs", "? help"} {
		if !s.Contains(text) {
			return false
		}
	}
	return true
}

// BenchmarkPanesFilled measures how soon the readings of every source are on
// the screen. One operation is ten starts.
func BenchmarkPanesFilled(b *testing.B) {
	env := testenv.Shared(b)
	var filled []time.Duration
	for b.Loop() {
		for range starts {
			term := screentest.Exec(b, cockpit(b, env.Variables()...), 120, 40)
			term.WaitFor(everythingRead, "the readings of every source")
			filled = append(filled, term.Since())
			term.End()
		}
	}
	b.ReportMetric(0, "ns/op") // of ten starts and ends: of no use
	report(b, "filled", filled)
}

// read is what each pane's rule says once its source has been read.
var read = []*regexp.Regexp{
	regexp.MustCompile(`1 Alerts ─+ (none|\d+ \w+)`),
	regexp.MustCompile(`2 Pods ─+ erpgo-api 3/3  rev \d+`),
	regexp.MustCompile(`3 Database ─+ \d+ of \d+`),
	regexp.MustCompile(`4 Cache ─+ (hit rate|no lookups|first reading)`),
	regexp.MustCompile(`5 Failed logins ─+ [\d.]+ /min of \d+`),
	regexp.MustCompile(`6 Logs .*─ 3 pods .* following`),
}

func everythingRead(s *screentest.Screen) bool {
	text := s.Text()
	for _, rule := range read {
		if !rule.MatchString(text) {
			return false
		}
	}
	return true
}
