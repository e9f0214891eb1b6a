package probes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-openapi/strfmt"
	"github.com/prometheus/alertmanager/api/v2/client/silence"
	"github.com/prometheus/alertmanager/api/v2/models"
	"github.com/prometheus/alertmanager/matcher/parse"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"

	"github.com/erpgo/flightdeck/config"
)

// Silencer makes and ends silences in Alertmanager. It is not a probe: nothing
// happens until somebody asks for it through the runner's gate.
type Silencer struct{ am *alertmanager }

// NewSilencer returns a silencer. Where no Alertmanager is configured each of
// its methods says so.
func NewSilencer(cfg config.Alertmanager) *Silencer { return &Silencer{newAlertmanager(cfg)} }

// Available is nil where there is an Alertmanager to ask, otherwise why there is
// none.
func (s *Silencer) Available() error { return s.am.err }

// Matchers are the conditions of a silence: it is about the alerts that meet all
// of them.
type Matchers struct{ all labels.Matchers }

// ParseMatchers reads matchers as Alertmanager and amtool write them:
// alertname="HighErrorRate", severity=~"warning|critical".
func ParseMatchers(text string) (Matchers, error) {
	all, err := parse.Matchers(text)
	if err != nil {
		return Matchers{}, fmt.Errorf("matchers %s: %w; write them like alertname=\"HighErrorRate\", severity=~\"warning|critical\"", text, err)
	}
	// Alertmanager refuses a silence that meets every alert.
	if !slices.ContainsFunc(all, func(m *labels.Matcher) bool { return !m.Matches("") }) {
		return Matchers{}, errors.New("matchers: at least one must not match the empty text, or they would be about every alert")
	}
	return Matchers{all}, nil
}

// MatchersOf are the matchers of one alert and no other: all of its labels.
func MatchersOf(a Alert) Matchers {
	all := labels.Matchers{&labels.Matcher{Type: labels.MatchEqual, Name: model.AlertNameLabel, Value: a.Name}}
	for name, value := range a.Labels {
		if name != model.AlertNameLabel {
			all = append(all, &labels.Matcher{Type: labels.MatchEqual, Name: name, Value: value})
		}
	}
	slices.SortFunc(all[1:], func(x, y *labels.Matcher) int { return strings.Compare(x.Name, y.Name) })
	return Matchers{all}
}

// Strings returns the matchers one by one, as ParseMatchers reads them.
func (m Matchers) Strings() []string {
	out := make([]string, len(m.all))
	for i, one := range m.all {
		out[i] = one.String()
	}
	return out
}

// String returns all matchers as ParseMatchers reads them.
func (m Matchers) String() string { return strings.Join(m.Strings(), ", ") }

// Match tells whether an alert meets all of them.
func (m Matchers) Match(a Alert) bool {
	for _, one := range m.all {
		value := a.Labels[one.Name]
		if one.Name == model.AlertNameLabel {
			value = a.Name
		}
		if !one.Matches(value) {
			return false
		}
	}
	return true
}

// Silence makes a silence and returns its ID.
func (s *Silencer) Silence(ctx context.Context, matchers Matchers, until time.Time, by, comment string) (id string, err error) {
	if s.am.err != nil {
		return "", s.am.err
	}
	ctx, cancel := context.WithTimeout(ctx, s.am.endpoint.timeout)
	defer cancel()
	begin, end := strfmt.DateTime(time.Now()), strfmt.DateTime(until)
	wanted := &models.PostableSilence{Silence: models.Silence{
		StartsAt: &begin, EndsAt: &end, CreatedBy: &by, Comment: &comment, Matchers: models.Matchers{},
	}}
	for _, one := range matchers.all {
		equal := one.Type == labels.MatchEqual || one.Type == labels.MatchRegexp
		regex := one.Type == labels.MatchRegexp || one.Type == labels.MatchNotRegexp
		wanted.Matchers = append(wanted.Matchers, &models.Matcher{Name: &one.Name, Value: &one.Value, IsEqual: &equal, IsRegex: &regex})
	}
	answer, err := s.am.api.Silence.PostSilences(silence.NewPostSilencesParamsWithContext(ctx).WithSilence(wanted))
	if err != nil {
		return "", fmt.Errorf("make a silence: %w", s.am.failure(err))
	}
	if answer.Payload == nil || answer.Payload.SilenceID == "" {
		return "", s.am.failure(errors.New("it made a silence and did not say which"))
	}
	return answer.Payload.SilenceID, nil
}

// Expire ends a silence.
func (s *Silencer) Expire(ctx context.Context, id string) error {
	if s.am.err != nil {
		return s.am.err
	}
	ctx, cancel := context.WithTimeout(ctx, s.am.endpoint.timeout)
	defer cancel()
	_, err := s.am.api.Silence.DeleteSilence(silence.NewDeleteSilenceParamsWithContext(ctx).WithSilenceID(strfmt.UUID(id)))
	if err != nil {
		return fmt.Errorf("end silence %s: %w", id, s.am.failure(err))
	}
	return nil
}
