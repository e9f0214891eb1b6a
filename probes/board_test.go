package probes

import (
	"errors"
	"sync"
	"testing"
	"time"
)

func TestCellKeepsTheLastGoodValue(t *testing.T) {
	cell := &NewBoard(10).Alerts
	if r := cell.Load(); r.Seq != 0 || r.State(time.Now()) != Waiting {
		t.Errorf("before the first attempt the reading is %+v", r)
	}
	at := time.Date(2026, 3, 1, 14, 0, 0, 0, time.UTC)
	cell.publish(Alerts{Alerts: []Alert{{Name: "HighErrorRate"}}}, at, time.Second)
	refused, timeout := errors.New("refused"), errors.New("timeout")
	cell.fail(refused, at.Add(time.Second))
	cell.fail(timeout, at.Add(2*time.Second))

	r := cell.Load()
	if len(r.Value.Alerts) != 1 || !r.TakenAt.Equal(at) {
		t.Errorf("after failures the value is %+v of %v, want the last good one", r.Value, r.TakenAt)
	}
	if !errors.Is(r.Err, timeout) || !r.ErrSince.Equal(at.Add(time.Second)) || r.Seq != 3 {
		t.Errorf("reading %+v, want the last error, since the first, as the third publication", r)
	}
	cell.publish(Alerts{}, at.Add(3*time.Second), time.Second)
	if r := cell.Load(); r.Err != nil || !r.ErrSince.IsZero() || r.Seq != 4 {
		t.Errorf("after a success the reading is %+v", r)
	}
}

func TestWatchTellsOnceUntilItIsReceived(t *testing.T) {
	board := NewBoard(10)
	changed, stop := board.Watch()
	other, stopOther := board.Watch()
	defer stopOther()
	for range 5 {
		board.Pods.publish(Pods{}, time.Now(), 0)
		board.Database.fail(errors.New("refused"), time.Now())
	}
	if len(changed) != 1 || len(other) != 1 {
		t.Fatalf("%d and %d tokens after ten changes, want one each", len(changed), len(other))
	}
	<-changed
	board.Cache.publish(Cache{}, time.Now(), time.Second)
	if len(changed) != 1 {
		t.Error("not told of a change after the last was received")
	}
	<-changed
	stop()
	board.Logins.publish(Logins{}, time.Now(), time.Second)
	if len(changed) != 0 {
		t.Error("told after it stopped to watch")
	}
	if len(other) != 1 {
		t.Error("one viewer's leaving stopped the other's news")
	}
}

// A viewer that never looks must not hold up a probe, and one that does must see
// whole readings in their order.
func TestBoardIsSharedWithoutWaiting(t *testing.T) {
	board := NewBoard(10)
	_, stop := board.Watch()
	defer stop()
	const publications = 2000
	var viewers sync.WaitGroup
	for range 4 {
		changed, stop := board.Watch()
		viewers.Go(func() {
			defer stop()
			var last Reading[Cache]
			for last.Seq < publications {
				<-changed
				r := board.Cache.Load()
				if r.Seq < last.Seq || uint64(r.Value.Clients) != r.Seq {
					t.Errorf("reading %d holds the value %d and came after reading %d", r.Seq, r.Value.Clients, last.Seq)
					return
				}
				last = r
			}
		})
	}
	for i := range publications {
		board.Cache.publish(Cache{Clients: i + 1}, time.Now(), time.Second)
	}
	viewers.Wait()
}
