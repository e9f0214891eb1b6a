package probes

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/erpgo/flightdeck/config"
)

// The tests of poll run in a bubble of virtual time: a minute passes at once.

var everyTwoSeconds = config.Pace{Interval: 2 * time.Second, Timeout: time.Second}

func newCell[T any]() *Cell[T] { return &Cell[T]{viewers: &viewers{}} }

// pass lets virtual time pass and waits until everything that was due is done.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// polled polls until stop is called, which returns once poll has.
func polled[T any](t *testing.T, cell *Cell[T], take func(context.Context) (T, error)) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		poll(ctx, cell, everyTwoSeconds, take)
	}()
	return func() {
		cancel()
		<-done
	}
}

func TestPollTakesAtOnceAndThenEveryInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cell := newCell[int]()
		begun := time.Now()
		var at []time.Duration
		stop := polled(t, cell, func(context.Context) (int, error) {
			at = append(at, time.Since(begun))
			return len(at), nil
		})
		pass(time.Minute)
		stop()

		if at[0] != 0 {
			t.Errorf("the first attempt came after %v, want at once", at[0])
		}
		differ := false
		for i := 1; i < len(at); i++ {
			gap := at[i] - at[i-1]
			if gap < 1800*time.Millisecond || gap > 2200*time.Millisecond {
				t.Errorf("attempt %d came after %v, want 2 s give or take a tenth", i, gap)
			}
			differ = differ || gap != 2*time.Second
		}
		if !differ {
			t.Error("no jitter: probes would beat together")
		}
		r := cell.Load()
		if r.Value != len(at) || len(at) < 27 || r.Err != nil || r.Every != 2*time.Second {
			t.Errorf("after %d attempts in a minute the reading is %+v", len(at), r)
		}
	})
}

func TestPollDatesAReadingByTheBeginningOfItsAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cell := newCell[int]()
		begun := time.Now()
		stop := polled(t, cell, func(context.Context) (int, error) {
			pass(900 * time.Millisecond)
			return 1, nil
		})
		pass(time.Second)
		if r := cell.Load(); !r.TakenAt.Equal(begun) {
			t.Errorf("TakenAt is %v after the attempt began, want 0", r.TakenAt.Sub(begun))
		}
		stop()
	})
}

func TestPollRestsBetweenSlowAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cell := newCell[int]()
		var ended time.Time
		slow := config.Pace{Interval: 2 * time.Second, Timeout: time.Minute}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		poll(ctx, cell, slow, func(context.Context) (int, error) {
			if rest := time.Since(ended); !ended.IsZero() && rest != 500*time.Millisecond {
				t.Errorf("rested %v after an attempt of 5 s, want a quarter of the interval", rest)
			}
			pass(5 * time.Second)
			ended = time.Now()
			return 1, nil
		})
		if ended.IsZero() {
			t.Error("nothing was taken")
		}
	})
}

func TestPollRetriesSoonThenEverLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cell := newCell[int]()
		var broken atomic.Bool
		broken.Store(true)
		attempts := make(chan time.Time, 1000)
		stop := polled(t, cell, func(context.Context) (int, error) {
			attempts <- time.Now()
			if broken.Load() {
				return 0, errors.New("connection refused")
			}
			return 7, nil
		})
		begun := time.Now()
		pass(10 * time.Minute)

		at := received(attempts)
		if gap := at[1].Sub(at[0]); gap > time.Second {
			t.Errorf("the first retry came after %v, want at most 1 s", gap)
		}
		for i := 1; i < len(at); i++ {
			// Twice the interval, give or take the half.
			if gap := at[i].Sub(at[i-1]); gap > 6*time.Second || i > 4 && gap < 2*time.Second {
				t.Errorf("retry %d came after %v", i, gap)
			}
		}
		r := cell.Load()
		if r.Err == nil || !r.ErrSince.Equal(begun) || r.State(time.Now()) != Down {
			t.Errorf("while broken the reading is %+v", r)
		}

		broken.Store(false)
		pass(6 * time.Second)
		if r := cell.Load(); r.Value != 7 || r.State(time.Now()) != Fresh {
			t.Errorf("6 s after the source is back the reading is %+v", r)
		}
		received(attempts)
		broken.Store(true)
		pass(4 * time.Second)
		if at := received(attempts); len(at) < 2 || at[1].Sub(at[0]) > time.Second {
			t.Error("after a recovery the first retry is late again")
		}
		if r := cell.Load(); r.Value != 7 || r.State(time.Now()) != Stale {
			t.Errorf("broken again the reading is %+v, want the last value, stale", r)
		}
		stop()
	})
}

// received takes all that is in the channel now.
func received[T any](from <-chan T) (all []T) {
	for {
		select {
		case v := <-from:
			all = append(all, v)
		default:
			return all
		}
	}
}

func TestPollReportsAnAttemptThatIgnoresItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cell := newCell[int]()
		release := make(chan struct{})
		var begun, running atomic.Int32
		stop := polled(t, cell, func(context.Context) (int, error) {
			if running.Add(1) > 1 {
				t.Error("two attempts run at the same time")
			}
			defer running.Add(-1)
			n := begun.Add(1)
			<-release
			return int(n), nil
		})
		pass(time.Second + overrun)
		r := cell.Load()
		if !errors.Is(r.Err, context.DeadlineExceeded) || r.Err.Error() != "no answer within 1s" {
			t.Errorf("Err is %v, want that there was no answer within 1s", r.Err)
		}
		pass(time.Hour)
		if n := begun.Load(); n != 1 {
			t.Errorf("%d attempts began while the first was stuck", n)
		}
		release <- struct{}{} // its late answer is not taken
		pass(time.Second)
		if r := cell.Load(); r.Err == nil || begun.Load() != 2 {
			t.Errorf("after the stuck attempt ended: %d attempts, reading %+v", begun.Load(), r)
		}
		close(release)
		pass(time.Second)
		if r := cell.Load(); r.Value < 2 || r.Err != nil {
			t.Errorf("after the next attempt the reading is %+v", r)
		}
		stop()
	})
}

func TestPollPrefersTheAttemptsOwnWordOnItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cell := newCell[int]()
		stop := polled(t, cell, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, errors.New("waited for a lock")
		})
		pass(time.Second)
		if r := cell.Load(); r.Err == nil || r.Err.Error() != "waited for a lock" {
			t.Errorf("Err is %v", r.Err)
		}
		stop()
	})
}

func TestPollTurnsAPanicIntoAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cell := newCell[int]()
		var calm atomic.Bool
		stop := polled(t, cell, func(context.Context) (int, error) {
			if !calm.Load() {
				panic("a bug in a probe")
			}
			return 5, nil
		})
		synctest.Wait()
		r := cell.Load()
		if r.Err == nil || !strings.Contains(r.Err.Error(), "panic at poll_test.go:") ||
			!strings.Contains(r.Err.Error(), "a bug in a probe") {
			t.Errorf("Err is %v, want where and why it panicked", r.Err)
		}
		calm.Store(true)
		pass(time.Second)
		if r := cell.Load(); r.Value != 5 || r.Err != nil {
			t.Errorf("after the panic the reading is %+v", r)
		}
		stop()
	})
}

func TestPollEndsWithItsContext(t *testing.T) {
	for name, take := range map[string]func(context.Context) (int, error){
		"between attempts": func(context.Context) (int, error) { return 1, nil },
		"in an attempt":    func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() },
		"in a stuck one":   func(context.Context) (int, error) { <-time.After(time.Hour); return 1, nil },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cell := newCell[int]()
				stop := polled(t, cell, take)
				pass(500 * time.Millisecond)
				before, asked := cell.Load(), time.Now()
				stop()
				if took := time.Since(asked); took > overrun {
					t.Errorf("poll ended %v after its context", took)
				}
				if after := cell.Load(); after.Seq != before.Seq || after.Err != nil {
					t.Errorf("ending was recorded as a reading: %+v", after)
				}
				pass(2 * time.Hour) // the stuck attempt ends too
			})
		})
	}
}

func TestPollIsNeverFasterThanTheFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		attempts := 0
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		poll(ctx, newCell[int](), config.Pace{}, func(context.Context) (int, error) {
			attempts++
			return 0, nil
		})
		if most := int(time.Second/fastest) * 10 / 9; attempts > most+1 {
			t.Errorf("%d attempts in a second without an interval, want at most %d", attempts, most)
		}
	})
}
