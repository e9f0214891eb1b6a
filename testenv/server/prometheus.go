//go:build unix

package server

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/erpgo/flightdeck/testenv/loopback"
)

// PrometheusOptions says what a Prometheus server scrapes and evaluates.
type PrometheusOptions struct {
	Jobs         []ScrapeJob
	Interval     time.Duration // of scrapes and of rule evaluations; 1 s when zero
	Rules        []byte        // a rule file's content; none when empty
	Alertmanager string        // host:port that alerts are sent to; none when empty
}

// ScrapeJob is a job with one target.
type ScrapeJob struct {
	Name   string // becomes the label job
	Target string // host:port, serving /metrics
}

// Prometheus is a Prometheus server.
type Prometheus struct {
	Process
	Addr string // host:port on loopback
}

// NewPrometheus starts a server that works in the folder.
func NewPrometheus(ctx context.Context, folder string, options PrometheusOptions) (*Prometheus, error) {
	path, err := Find("prometheus")
	if err != nil {
		return nil, err
	}
	config, err := writePrometheusConfig(folder, options)
	if err != nil {
		return nil, fmt.Errorf("configure prometheus: %w", err)
	}
	prom := &Prometheus{}
	err = onFreePort(ctx, func(port int) error {
		prom.Addr = loopback.Addr(port)
		prom.command = command{
			name: "prometheus",
			path: path,
			args: []string{
				"--config.file=" + config,
				"--storage.tsdb.path=" + filepath.Join(folder, "data"),
				"--web.listen-address=" + prom.Addr,
				"--web.enable-lifecycle",
				"--log.level=warn",
			},
			dir:     folder,
			stop:    syscall.SIGTERM,
			orphan:  syscall.SIGKILL,
			healthy: func(ctx context.Context) error { return get(ctx, prom.URL()+"/-/ready") },
		}
		return prom.Start(ctx)
	})
	if err != nil {
		return nil, err
	}
	return prom, nil
}

// URL is the server's base address, without a trailing slash.
func (p *Prometheus) URL() string { return "http://" + p.Addr }

func writePrometheusConfig(folder string, options PrometheusOptions) (string, error) {
	type targets struct {
		Targets []string `yaml:"targets"`
	}
	type scrape struct {
		Job     string    `yaml:"job_name"`
		Targets []targets `yaml:"static_configs"`
	}
	type alertmanager struct {
		Targets []targets `yaml:"static_configs"`
	}
	var config struct {
		Global struct {
			Scrape   string `yaml:"scrape_interval"`
			Timeout  string `yaml:"scrape_timeout"`
			Evaluate string `yaml:"evaluation_interval"`
		} `yaml:"global"`
		Rules    []string `yaml:"rule_files,omitempty"`
		Scrapes  []scrape `yaml:"scrape_configs"`
		Alerting struct {
			Alertmanagers []alertmanager `yaml:"alertmanagers,omitempty"`
		} `yaml:"alerting,omitempty"`
	}
	interval := options.Interval
	if interval == 0 {
		interval = time.Second
	}
	every := fmt.Sprintf("%dms", interval.Milliseconds())
	config.Global.Scrape, config.Global.Timeout, config.Global.Evaluate = every, every, every
	for _, job := range options.Jobs {
		config.Scrapes = append(config.Scrapes, scrape{Job: job.Name, Targets: []targets{{Targets: []string{job.Target}}}})
	}
	if options.Alertmanager != "" {
		config.Alerting.Alertmanagers = []alertmanager{{Targets: []targets{{Targets: []string{options.Alertmanager}}}}}
	}
	if len(options.Rules) > 0 {
		rules := filepath.Join(folder, "rules.yaml")
		if err := os.WriteFile(rules, options.Rules, 0o644); err != nil {
			return "", err
		}
		config.Rules = []string{rules}
	}
	text, err := yaml.Marshal(config)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "prometheus.yaml")
	return path, os.WriteFile(path, text, 0o644)
}

// get asks for a page and takes any answer but 200 for "not yet".
func get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
