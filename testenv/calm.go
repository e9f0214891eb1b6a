//go:build unix

package testenv

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
)

// awaitCalm waits until no alert is pending or firing: those of the test before
// take as long to end as their rates look back.
func (e *Env) awaitCalm(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client, err := api.NewClient(api.Config{Address: e.PrometheusURL})
	if err != nil {
		return err
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var last []prometheus.Alert
	for {
		result, err := prometheus.NewAPI(client).Alerts(ctx)
		if err == nil && len(result.Alerts) == 0 {
			return nil
		}
		if err == nil {
			last = result.Alerts
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for the shared environment to be calm: alerts %v: %w", last, errors.Join(err, ctx.Err()))
		}
	}
}
