package incidents

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Memory is a journal that lives as long as the process.
type Memory struct {
	mu       sync.RWMutex
	events   []Event
	records  []sealed // what the events were made of
	watchers watchers
}

var _ Journal = (*Memory)(nil)

// NewMemory returns an empty journal.
func NewMemory() *Memory { return &Memory{} }

// Append adds a fact.
func (m *Memory) Append(ctx context.Context, incident string, actor Actor, fact Fact) (Event, error) {
	return m.append(ctx, nil, incident, actor, fact)
}

// AppendIf adds a fact if the last event is head.
func (m *Memory) AppendIf(ctx context.Context, head int64, incident string, actor Actor, fact Fact) (Event, error) {
	return m.append(ctx, &head, incident, actor, fact)
}

func (m *Memory) append(ctx context.Context, head *int64, incident string, actor Actor, fact Fact) (Event, error) {
	if err := ctx.Err(); err != nil {
		return Event{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var last sealed
	if n := len(m.records); n > 0 {
		last = m.records[n-1]
	}
	if head != nil && *head != last.seq {
		return Event{}, ErrMoved
	}
	r, err := seal(last, time.Now(), incident, actor, fact)
	if err != nil {
		return Event{}, err
	}
	row := sealed{record: r, sum: r.hash()}
	event := row.event() // decoded: it shares nothing with the caller's fact
	m.events = append(m.events, event)
	m.records = append(m.records, row)
	m.watchers.notify()
	return event, nil
}

// Events returns what was appended after a sequence number.
func (m *Memory) Events(ctx context.Context, incident string, after int64) ([]Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	rest := m.events[min(max(after, 0), int64(len(m.events))):]
	var events []Event
	for _, e := range rest {
		if incident == "" || e.Incident == incident {
			events = append(events, e)
		}
	}
	return events, nil
}

// Latest returns the last events before a sequence number.
func (m *Memory) Latest(ctx context.Context, incident string, before int64, limit int) ([]Event, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	var events []Event
	for n := min(before-1, int64(len(m.events))); n > 0 && len(events) < limit; n-- {
		if e := m.events[n-1]; incident == "" || e.Incident == incident {
			events = append(events, e)
		}
	}
	slices.Reverse(events)
	return events, nil
}

// Verify checks the chain of events.
func (m *Memory) Verify(context.Context) (Head, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return verify(func(yield func(sealed, error) bool) {
		for _, row := range m.records {
			if !yield(row, nil) {
				return
			}
		}
	})
}

// Watch tells of appended events.
func (m *Memory) Watch() (<-chan struct{}, func()) { return m.watchers.add() }

// Durable is false: the journal ends with the process.
func (m *Memory) Durable() bool { return false }

// Session is the same for all who share the journal: they are one process.
func (m *Memory) Session() string { return "memory" }

// Alive is true of that one process alone.
func (m *Memory) Alive(session string) bool { return session == m.Session() }
