//go:build unix

package server

import (
	"context"
	"os"
	"path/filepath"
	"syscall"

	"github.com/erpgo/flightdeck/testenv/loopback"
)

// alertmanagerConfig inhibits as Alertmanager's own example does.
const alertmanagerConfig = `route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
receivers:
  - name: nobody
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [alertname, service]
`

// Alertmanager is an Alertmanager server, a cluster of one.
type Alertmanager struct {
	Process
	Addr string // host:port on loopback
}

// NewAlertmanager starts a server that works in the folder, with the content of
// a configuration file; when that is empty, nobody is notified and a critical
// alert inhibits the warning of the same name about the same service.
func NewAlertmanager(ctx context.Context, folder, settings string) (*Alertmanager, error) {
	if settings == "" {
		settings = alertmanagerConfig
	}
	path, err := Find("prometheus-alertmanager")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(folder, "alertmanager.yaml")
	if err := os.WriteFile(config, []byte(settings), 0o644); err != nil {
		return nil, err
	}
	am := &Alertmanager{}
	err = onFreePort(ctx, func(port int) error {
		am.Addr = loopback.Addr(port)
		am.command = command{
			name: "alertmanager",
			path: path,
			args: []string{
				"--config.file=" + config,
				"--storage.path=" + filepath.Join(folder, "data"),
				"--web.listen-address=" + am.Addr,
				"--cluster.listen-address=", // no gossip
				"--log.level=warn",
			},
			dir:     folder,
			stop:    syscall.SIGTERM,
			orphan:  syscall.SIGKILL,
			healthy: func(ctx context.Context) error { return get(ctx, am.URL()+"/-/ready") },
		}
		return am.Start(ctx)
	})
	if err != nil {
		return nil, err
	}
	return am, nil
}

// URL is the server's base address, without a trailing slash.
func (a *Alertmanager) URL() string { return "http://" + a.Addr }
