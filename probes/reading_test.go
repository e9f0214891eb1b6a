package probes

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestReadingState(t *testing.T) {
	now := time.Date(2026, 3, 1, 14, 3, 27, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	broken := errors.New("connection refused")
	for _, test := range []struct {
		name    string
		reading Reading[int]
		state   State
		age     time.Duration
	}{
		{"nothing yet", Reading[int]{}, Waiting, 0},
		{"just taken", Reading[int]{TakenAt: now, Every: time.Second}, Fresh, 0},
		{"due three times", Reading[int]{TakenAt: ago(3 * time.Second), Every: time.Second}, Fresh, 3 * time.Second},
		{"overdue", Reading[int]{TakenAt: ago(3*time.Second + 1), Every: time.Second}, Stale, 3*time.Second + 1},
		{"an old watch", Reading[int]{TakenAt: ago(time.Hour)}, Fresh, time.Hour},
		{"failing with a value", Reading[int]{TakenAt: ago(time.Second), Every: time.Minute, Err: broken}, Stale, time.Second},
		{"failing without", Reading[int]{Err: broken, ErrSince: ago(time.Hour)}, Down, 0},
		{"not configured", Reading[int]{Err: fmt.Errorf("database: %w", notConfigured("DATABASE_URL"))}, NotConfigured, 0},
		{"taken by a clock that is ahead", Reading[int]{TakenAt: now.Add(time.Minute), Every: time.Second}, Fresh, 0},
	} {
		if got := test.reading.State(now); got != test.state {
			t.Errorf("%s: state %v, want %v", test.name, got, test.state)
		}
		if got := test.reading.Age(now); got != test.age {
			t.Errorf("%s: age %v, want %v", test.name, got, test.age)
		}
	}
}

func TestNotConfiguredSaysWhatToSet(t *testing.T) {
	err := notConfigured("--prometheus or PROMETHEUS_URL")
	if !errors.Is(err, ErrNotConfigured) || !strings.Contains(err.Error(), "set --prometheus or PROMETHEUS_URL") {
		t.Errorf("got %q", err)
	}
}
