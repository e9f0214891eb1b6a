package probes

import (
	"context"
	"errors"
	"path"
	"slices"
	"time"

	"github.com/go-openapi/runtime"
	openapi "github.com/go-openapi/runtime/client"
	"github.com/prometheus/alertmanager/api/v2/client"
	"github.com/prometheus/alertmanager/api/v2/client/alert"
	"github.com/prometheus/alertmanager/api/v2/client/silence"
	"github.com/prometheus/alertmanager/api/v2/models"

	"github.com/erpgo/flightdeck/config"
)

// alertmanager asks one Alertmanager.
type alertmanager struct {
	pace     config.Pace
	endpoint *endpoint
	api      *client.AlertmanagerAPI
	err      error // why there is nothing to ask
	last     []suppression
}

func newAlertmanager(cfg config.Alertmanager) *alertmanager {
	am := &alertmanager{pace: cfg.Pace}
	am.endpoint, am.err = newEndpoint("alertmanager", cfg.URL, "--alertmanager or ALERTMANAGER_URL", cfg.Authorization(), cfg.Timeout)
	if am.err != nil {
		return am
	}
	base := am.endpoint.base
	transport := openapi.NewWithClient(base.Host, path.Join(base.Path, client.DefaultBasePath), []string{base.Scheme}, am.endpoint.client)
	// The library would dump every request to the screen where the environment
	// has a variable named DEBUG.
	transport.Debug = false
	am.api = client.New(transport, nil)
	return am
}

// take reads which alerts are suppressed, and by which silences. Alerts that are
// not suppressed, nearly all of them, are not transferred.
func (am *alertmanager) take(ctx context.Context) ([]suppression, error) {
	now := time.Now()
	alerts, err := am.alerts(ctx, false)
	if err != nil {
		return nil, err
	}
	found := make([]suppression, 0, len(alerts))
	var silences map[string]*Silence
	for _, a := range alerts {
		if len(a.Status.SilencedBy) > 0 && silences == nil {
			if silences, err = am.silences(ctx); err != nil {
				return nil, err
			}
		}
		found = append(found, suppression{labels: a.Labels, silence: longest(silences, a.Status.SilencedBy), seen: now})
	}
	forgotten, err := am.forgotten(ctx, found, now)
	if err != nil {
		return nil, err
	}
	am.last = append(found, forgotten...)
	return am.last, nil
}

// forgotten is those of the last suppressions that Alertmanager has not lifted:
// it knows the alert no longer, neither as suppressed nor as active.
func (am *alertmanager) forgotten(ctx context.Context, found []suppression, now time.Time) ([]suppression, error) {
	known := make(map[string]bool, len(found))
	for _, s := range found {
		known[labelKey("", s.labels)] = true
	}
	unknown := func(all []suppression) []suppression {
		return slices.DeleteFunc(slices.Clone(all), func(s suppression) bool {
			return known[labelKey("", s.labels)] || now.Sub(s.seen) > suppressionKept
		})
	}
	lost := unknown(am.last)
	if len(lost) == 0 {
		return nil, nil
	}
	active, err := am.alerts(ctx, true)
	if err != nil {
		return nil, err
	}
	for _, a := range active {
		known[labelKey("", a.Labels)] = true
	}
	return unknown(lost), nil
}

// alerts lists the alerts that are active, or else those that are suppressed.
func (am *alertmanager) alerts(ctx context.Context, active bool) (models.GettableAlerts, error) {
	suppressed, never := !active, false
	answer, err := am.api.Alert.GetAlerts(alert.NewGetAlertsParamsWithContext(ctx).
		WithActive(&active).WithSilenced(&suppressed).WithInhibited(&suppressed).WithUnprocessed(&never))
	if err != nil {
		return nil, am.failure(err)
	}
	for _, a := range answer.Payload {
		if a == nil || a.Status == nil {
			return nil, am.failure(errors.New("an alert without a status"))
		}
	}
	return answer.Payload, nil
}

// silences lists all silences by id.
func (am *alertmanager) silences(ctx context.Context) (map[string]*Silence, error) {
	answer, err := am.api.Silence.GetSilences(silence.NewGetSilencesParamsWithContext(ctx))
	if err != nil {
		return nil, am.failure(err)
	}
	byID := make(map[string]*Silence, len(answer.Payload))
	for _, s := range answer.Payload {
		if s == nil || s.ID == nil || s.CreatedBy == nil || s.Comment == nil || s.StartsAt == nil || s.EndsAt == nil {
			return nil, am.failure(errors.New("an incomplete silence"))
		}
		byID[*s.ID] = &Silence{
			ID:        *s.ID,
			CreatedBy: *s.CreatedBy,
			Comment:   *s.Comment,
			StartsAt:  time.Time(*s.StartsAt),
			EndsAt:    time.Time(*s.EndsAt),
		}
	}
	return byID, nil
}

// longest is the silence among ids that ends last; nil when there are no ids. A
// silence that was made between the two requests is known by its id alone.
func longest(silences map[string]*Silence, ids []string) *Silence {
	var last *Silence
	for _, id := range ids {
		s, ok := silences[id]
		if !ok {
			s = &Silence{ID: id}
		}
		if last == nil || s.EndsAt.After(last.EndsAt) {
			last = s
		}
	}
	return last
}

// failure words an error of the API client.
func (am *alertmanager) failure(err error) error {
	var (
		known interface {
			Code() int
			GetPayload() string
		}
		other *runtime.APIError
	)
	switch {
	case errors.As(err, &known):
		err = statusError{known.Code(), known.GetPayload()}
	case errors.As(err, &other):
		err = statusError{code: other.Code}
	}
	return am.endpoint.failure(err)
}
