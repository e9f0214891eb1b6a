package incidents

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// ErrAway is wrapped by the error of reading a journal whose server cannot be
// reached now. What is appended meanwhile waits on this machine's disk.
var ErrAway = errors.New("the journal is away")

// Postgres is a journal in a PostgreSQL server, which several bastions share.
// An event is in the server when Append returns, or, while the server is away,
// on this machine's disk, from where it is sent when the server is back: in
// order, and once each.
//
// The connection has to be one that LISTEN works on: to the server itself, or to
// a pooler in session mode.
type Postgres struct {
	log      *eventLog
	heads    *headLog
	file     string // of the heads
	watchers watchers
	stop     context.CancelFunc
	working  sync.WaitGroup
	flush    chan struct{}

	mu     sync.Mutex // one appends at a time, in order
	unsent *unsent
	read   int64 // the last event that is known to somebody who reads all
	sent   int64 // the last event that has arrived after it waited
	cause  error // why the server is away; nil while it is not
}

var _ Journal = (*Postgres)(nil)

// OpenPostgres opens the journal at a postgres:// URL, and begins one where
// there is none. The folder is on this machine's own disk and keeps what could
// not be sent, and the heads that were acknowledged here. A server that does not
// answer is an error unless the folder shows that it has answered before: then
// the journal begins as one that is away.
func OpenPostgres(ctx context.Context, url, folder string) (*Postgres, error) {
	p, err := openPostgres(ctx, url, folder)
	if err != nil {
		return nil, fmt.Errorf("open the journal in postgres: %w", err)
	}
	return p, nil
}

func openPostgres(ctx context.Context, url, folder string) (*Postgres, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if err := localFileSystem(folder); err != nil {
		return nil, err
	}
	session := rand.Text()[:12]
	log, err := openEventLog(ctx, url, session)
	if err != nil {
		return nil, err
	}
	p := &Postgres{log: log, flush: make(chan struct{}, 1), file: filepath.Join(folder, "heads")}
	if p.heads, err = openHeadLog(p.file); err == nil {
		p.unsent, err = openUnsent(folder, session)
	}
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	if err := p.begin(ctx); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	working, stop := context.WithCancel(context.Background())
	p.stop = stop
	away, up := p.cause != nil, make(chan struct{})
	p.working.Go(func() { p.listen(working, up) })
	p.working.Go(func() { p.send(working) })
	if away {
		return p, nil
	}
	select {
	case <-up: // others can tell that the session lives
		return p, nil
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), p.Close())
	}
}

// begin sees whether the server is there.
func (p *Postgres) begin(ctx context.Context) error {
	err := p.log.prepare(ctx)
	if err == nil || !away(err) {
		return err
	}
	if before, statErr := os.Stat(p.file); statErr != nil || before.Size() == 0 {
		return err // who knows whether there is such a server
	}
	p.cause = err
	return nil
}

// listen tells watchers of what anybody appends, over one connection after the
// other. up is closed when the first one stands.
func (p *Postgres) listen(ctx context.Context, up chan struct{}) {
	var once sync.Once
	pace := backoff.NewExponentialBackOff()
	pace.InitialInterval, pace.MaxInterval = 100*time.Millisecond, 2*time.Second
	for {
		_ = p.log.listen(ctx, func() { // Away says why, when somebody wants something
			once.Do(func() { close(up) })
			pace.Reset()
			p.wake()
			p.watchers.notify()
		})
		p.watchers.notify() // who looks now learns whether only a connection broke
		select {
		case <-time.After(pace.NextBackOff()):
		case <-ctx.Done():
			return
		}
	}
}

// wake has what waits sent now.
func (p *Postgres) wake() {
	select {
	case p.flush <- struct{}{}:
	default:
	}
}

// send sends what waits whenever the server has been heard of, and now and then.
func (p *Postgres) send(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-p.flush:
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		for p.sendOne(ctx) {
		}
	}
}

// sendOne sends the oldest event that waits and tells whether there may be more.
func (p *Postgres) sendOne(ctx context.Context) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	if len(p.unsent.entries) == 0 {
		if p.cause != nil {
			_, p.cause = p.log.head(ctx)
		}
		return false
	}
	row, err := p.log.append(ctx, nil, p.unsent.entries[0])
	if err != nil {
		p.cause = err
		return false
	}
	p.heads.append(Head{row.seq, row.sum})
	p.sent = row.seq
	_ = p.unsent.sent() // what stays in the file arrives once all the same
	if len(p.unsent.entries) == 0 {
		p.cause = nil
	}
	p.watchers.notify()
	return true
}

// Append adds a fact.
func (p *Postgres) Append(ctx context.Context, incident string, actor Actor, fact Fact) (Event, error) {
	return p.append(ctx, nil, incident, actor, fact)
}

// AppendIf adds a fact if the last event is head. While the server is away, that
// is the last one that is known here.
func (p *Postgres) AppendIf(ctx context.Context, head int64, incident string, actor Actor, fact Fact) (Event, error) {
	return p.append(ctx, &head, incident, actor, fact)
}

func (p *Postgres) append(ctx context.Context, head *int64, incident string, actor Actor, fact Fact) (Event, error) {
	if err := ctx.Err(); err != nil {
		return Event{}, p.failed(ctx, "write", err)
	}
	kind, body, err := encode(fact)
	if err != nil {
		return Event{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := entry{ID: rand.Text(), Incident: incident, At: time.Now().UnixNano(), Actor: actor, Kind: kind, Body: body}
	if p.cause == nil && len(p.unsent.entries) == 0 {
		row, err := p.ask(ctx, head, e)
		if err == nil {
			p.heads.append(Head{row.seq, row.sum})
			p.watchers.notify()
			return row.event(), nil
		}
		if errors.Is(err, ErrMoved) || ctx.Err() != nil || !away(err) {
			return Event{}, p.failed(ctx, "write", err)
		}
		p.cause = err
	}
	if head != nil && *head != p.read+int64(len(p.unsent.entries)) {
		return Event{}, ErrMoved
	}
	e.tried, e.late = true, true
	if err := p.unsent.add(e); err != nil {
		return Event{}, fmt.Errorf("%s is away, and keep it in %s: %w", p.log.where, p.unsent.path, err)
	}
	p.watchers.notify()
	return p.waiting(len(p.unsent.entries) - 1), nil
}

// ask appends in the server.
func (p *Postgres) ask(ctx context.Context, head *int64, e entry) (sealed, error) {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	return p.log.append(ctx, head, e)
}

// waiting is an event as it stands before it was sent.
func (p *Postgres) waiting(n int) Event {
	e := p.unsent.entries[n]
	event := sealed{record: record{
		seq: p.read + int64(n) + 1, incident: e.Incident, at: e.At, actor: e.Actor, kind: e.Kind, body: e.Body,
	}}.event()
	event.Unsent = true
	return event
}

// Unsent returns the events that wait on this machine's disk, oldest first, as
// they would follow the last event that the caller knows, and why they wait.
// Behind tells that some have arrived which the caller does not know yet.
func (p *Postgres) Unsent(last int64) (waiting []Event, behind bool, why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read = max(p.read, last)
	for n := range p.unsent.entries {
		waiting = append(waiting, p.waiting(n))
	}
	if p.cause != nil {
		why = fmt.Errorf("postgres %s: %w", p.log.where, p.cause)
	}
	return waiting, p.sent > last, why
}

// Events returns what was appended after a sequence number and has arrived.
func (p *Postgres) Events(ctx context.Context, incident string, after int64) ([]Event, error) {
	if incident != "" {
		return p.events(ctx, logColumns+`FROM flightdeck.events WHERE incident = $1 AND seq > $2 ORDER BY seq`, incident, after)
	}
	events, err := p.events(ctx, logColumns+`FROM flightdeck.events WHERE seq > $1 ORDER BY seq`, after)
	if err == nil {
		p.mu.Lock()
		p.read = max(p.read, after)
		if n := len(events); n > 0 {
			p.read = max(p.read, events[n-1].Seq)
		}
		p.mu.Unlock()
	}
	return events, err
}

// Latest returns the last events before a sequence number that have arrived.
func (p *Postgres) Latest(ctx context.Context, incident string, before int64, limit int) ([]Event, error) {
	query, args := logColumns+`FROM flightdeck.events WHERE seq < $1 ORDER BY seq DESC LIMIT $2`, []any{before, limit}
	if incident != "" {
		query, args = logColumns+`FROM flightdeck.events WHERE incident = $3 AND seq < $1 ORDER BY seq DESC LIMIT $2`, append(args, incident)
	}
	events, err := p.events(ctx, query, args...)
	slices.Reverse(events)
	return events, err
}

func (p *Postgres) events(ctx context.Context, query string, args ...any) ([]Event, error) {
	events, err := p.log.events(ctx, query, args...)
	if err != nil {
		if ctx.Err() == nil && away(err) {
			p.mu.Lock()
			p.cause = err
			p.mu.Unlock()
		}
		return nil, p.failed(ctx, "read", err)
	}
	return events, nil
}

// failed says what could not be done where.
func (p *Postgres) failed(ctx context.Context, what string, err error) error {
	switch {
	case errors.Is(err, ErrMoved):
		return err
	case ctx.Err() != nil:
		err = ctx.Err()
	case away(err):
		err = fmt.Errorf("%w: %w", ErrAway, err)
	}
	return fmt.Errorf("%s postgres %s: %w", what, p.log.where, err)
}

// Verify checks the chain of events from the first, that it ends where the
// server says, and that it reaches every head that was acknowledged on this
// machine.
func (p *Postgres) Verify(ctx context.Context) (Head, error) {
	known, err := readHeadLog(p.file) // first: the journal is never behind it
	if err != nil {
		return Head{}, err
	}
	end, err := p.log.head(ctx) // nor behind this
	if err != nil {
		return Head{}, p.failed(ctx, "verify", err)
	}
	if end.Seq > 0 {
		if known == nil {
			known = heads{}
		}
		known[end.Seq] = end.Hash
	}
	head, err := verify(known.check(p.log.rows(ctx, logColumns+`FROM flightdeck.events UNION ALL
		SELECT seq, '', at, '', '', '', '', prev, hash, seal FROM flightdeck.pruned ORDER BY seq`)))
	if err == nil {
		err = known.beyond(head)
	}
	if broken := (*BrokenChain)(nil); err == nil || errors.As(err, &broken) {
		return head, err
	}
	return head, p.failed(ctx, "verify", err)
}

// Watch tells of events that this process or another one has appended.
func (p *Postgres) Watch() (<-chan struct{}, func()) { return p.watchers.add() }

// Session names this process among those that have the journal open.
func (p *Postgres) Session() string { return p.log.session }

// Alive tells whether the process of a session has been heard of lately. While
// the server is away nobody can tell, and nobody is given up.
func (p *Postgres) Alive(session string) bool {
	if session == p.log.session {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), logTimeout)
	defer cancel()
	alive, err := p.log.alive(ctx, session)
	return alive || err != nil
}

// Durable is true.
func (p *Postgres) Durable() bool { return true }

// Close lets go of the server. What could not be sent stays on disk, and is sent
// by the next cockpit on this machine.
func (p *Postgres) Close() error {
	if p.stop != nil {
		p.stop()
		p.working.Wait()
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	_ = p.log.leave(ctx) // otherwise it is silent from now on
	p.log.pool.Close()
	var errs []error
	if p.heads != nil {
		errs = append(errs, p.heads.Close())
	}
	if p.unsent != nil {
		errs = append(errs, p.unsent.close())
	}
	return errors.Join(errs...)
}
