package probes

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type probeFunc struct {
	name string
	run  func(context.Context) error
}

func (p probeFunc) Name() string                  { return p.name }
func (p probeFunc) Run(ctx context.Context) error { return p.run(ctx) }

func TestRunKeepsTheOthersWhenOneEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		begun := time.Now()
		var lived time.Duration
		err := Run(ctx,
			probeFunc{"broken", func(context.Context) error { return errors.New("no such cluster") }},
			probeFunc{"panicking", func(context.Context) error { panic("at once") }},
			probeFunc{"idle", func(context.Context) error { return nil }},
			probeFunc{"canceled", func(ctx context.Context) error { <-ctx.Done(); return context.Canceled }},
			probeFunc{"living", func(ctx context.Context) error {
				<-ctx.Done()
				lived = time.Since(begun)
				return nil
			}},
		)
		if lived != time.Hour {
			t.Errorf("the healthy probe lived for %v, want until its context ended", lived)
		}
		for _, want := range []string{"broken: no such cluster", "panicking: ", "at once"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Run returned %v, want %q in it", err, want)
			}
		}
		if err != nil && strings.Contains(err.Error(), "canceled") {
			t.Errorf("Run returned %v: the end of the context is no error", err)
		}
	})
}
