package probes

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// suppressionKept is how long silences and inhibitions stay in force on the
// screen after Alertmanager last spoke of them. A restart of it should not turn
// every silenced alert red: it comes back without alerts, and Prometheus sends
// them again once a minute (--rules.alert.resend-delay). What is unknown for
// longer counts as firing.
const suppressionKept = 75 * time.Second

// suppression is one alert that Alertmanager notifies nobody of.
type suppression struct {
	labels  map[string]string // with the external labels that Prometheus adds
	silence *Silence          // nil when it is only inhibited
	seen    time.Time         // when Alertmanager last said so
}

// suppressed returns the alerts with the state that Alertmanager gives them. The
// receiver is left as it is, for it may have been published.
func (a Alerts) suppressed(by Reading[[]suppression], now time.Time) Alerts {
	a.AlertmanagerErr, a.AlertmanagerAt = by.Err, by.TakenAt
	if by.State(now) == Waiting {
		a.AlertmanagerErr = errors.New("alertmanager: no answer yet")
	}
	if len(by.Value) == 0 || by.Age(now) > max(suppressionKept, 3*by.Every) {
		return a
	}
	index := indexAlerts(a.Alerts)
	a.Alerts = slices.Clone(a.Alerts)
	for _, s := range by.Value {
		i, ok := index.find(s.labels)
		if !ok || a.Alerts[i].State == Pending {
			continue
		}
		switch {
		case s.silence == nil:
			a.Alerts[i].State = Suppressed
		case s.silence.EndsAt.IsZero() || now.Before(s.silence.EndsAt):
			a.Alerts[i].State = Silenced
			a.Alerts[i].Silence = s.silence
		}
	}
	sortAlerts(a.Alerts)
	return a
}

// alertIndex finds the alert that Alertmanager means. Prometheus adds its
// external labels on the way there, so the labels of an alert are a part of
// those that Alertmanager shows, and which part is not known. Alerts are
// therefore grouped by the names of their labels, of which there are few
// different sets, and looked up by each. An alert whose own labels were changed
// on the way (alert_relabel_configs) is not found, and stays firing.
type alertIndex []labelShape

// labelShape is all alerts that have labels of the same names.
type labelShape struct {
	names []string
	byKey map[string]int // index by the label values
}

func indexAlerts(alerts []Alert) alertIndex {
	shapes := map[string]*labelShape{}
	for i, a := range alerts {
		names := slices.Sorted(maps.Keys(a.Labels))
		id := strings.Join(names, "\xff")
		if shapes[id] == nil {
			shapes[id] = &labelShape{names: names, byKey: map[string]int{}}
		}
		if key, ok := shapes[id].key(a.Labels); ok {
			shapes[id].byKey[key] = i
		}
	}
	var index alertIndex
	for _, s := range shapes {
		index = append(index, *s)
	}
	// The alert that shares the most labels is meant.
	slices.SortFunc(index, func(a, b labelShape) int { return len(b.names) - len(a.names) })
	return index
}

// find returns the index of the alert whose labels are a part of labels.
func (x alertIndex) find(labels map[string]string) (int, bool) {
	for _, s := range x {
		if key, ok := s.key(labels); ok {
			if i, ok := s.byKey[key]; ok {
				return i, true
			}
		}
	}
	return 0, false
}

// key is the values of the shape's labels; ok is false where one is missing.
func (s labelShape) key(labels map[string]string) (key string, ok bool) {
	var b strings.Builder
	for _, name := range s.names {
		value, ok := labels[name]
		if !ok {
			return "", false
		}
		b.WriteString(value)
		b.WriteByte(0xff)
	}
	return b.String(), true
}
