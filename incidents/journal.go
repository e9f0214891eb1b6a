package incidents

import (
	"context"
	"errors"
)

// Journal is the append-only record of all incidents. All of its methods may be
// called from any number of goroutines.
type Journal interface {
	// Append adds a fact to an incident and returns the event as recorded.
	// When it returns nil the event is as durable as the journal can make it.
	Append(ctx context.Context, incident string, actor Actor, fact Fact) (Event, error)
	// AppendIf is Append on the condition that the journal's last event is head
	// (0 for an empty journal). Otherwise it adds nothing and returns ErrMoved,
	// so what was decided on an older state is decided again.
	AppendIf(ctx context.Context, head int64, incident string, actor Actor, fact Fact) (Event, error)
	// Events returns the events of an incident with a Seq above after, in
	// order; all incidents when incident is empty.
	Events(ctx context.Context, incident string, after int64) ([]Event, error)
	// Latest returns the last events of an incident, at most limit, with a Seq
	// below before, in order; of all incidents when incident is empty.
	Latest(ctx context.Context, incident string, before int64, limit int) ([]Event, error)
	// Watch returns a channel that holds at most one token, to be received from
	// when something was appended; stop ends it.
	Watch() (changed <-chan struct{}, stop func())
	// Verify checks that nothing was changed, removed or reordered since it was
	// written, and returns the last event; a *BrokenChain says where it was.
	Verify(ctx context.Context) (Head, error)
	// Session names this process among those that have the journal open.
	Session() string
	// Alive tells whether the process of a session still has it open.
	Alive(session string) bool
	// Durable tells whether events outlive the process.
	Durable() bool
}

// ErrMoved is returned by AppendIf when somebody else has appended meanwhile.
var ErrMoved = errors.New("the journal has moved on")
