package incidents

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// Hash is the SHA-256 of an event and, through Prev, of all events before it.
type Hash [sha256.Size]byte

// String is the hash in hex.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// record is an event as it is stored: the fact as bytes, which are what is
// hashed. An event that was written by another version keeps its hash, whatever
// this one would write.
type record struct {
	seq      int64
	incident string
	at       int64 // nanoseconds since 1970, UTC
	actor    Actor
	kind     string
	body     []byte
	prev     Hash
}

// hash covers every field, each with its length, so that no two records are
// the same bytes.
func (r record) hash() Hash {
	var buf bytes.Buffer
	number := func(n int64) { _ = binary.Write(&buf, binary.BigEndian, n) }
	text := func(s string) { number(int64(len(s))); buf.WriteString(s) }
	buf.Write(r.prev[:])
	number(r.seq)
	text(r.incident)
	number(r.at)
	text(r.actor.Name)
	text(r.actor.Host)
	text(r.kind)
	text(string(r.body))
	return sha256.Sum256(buf.Bytes())
}

// encode returns the stored form of a fact.
func encode(fact Fact) (kind string, body []byte, err error) {
	if other, ok := fact.(Unrecognised); ok {
		return other.Kind, other.Body, nil
	}
	body, err = json.Marshal(fact)
	if err != nil {
		return "", nil, fmt.Errorf("encode %q: %w", fact.kind(), err)
	}
	return fact.kind(), body, nil
}

// event returns the record as an event. A fact that cannot be read is kept as
// it is: one damaged event, which Verify names, must not hide all others.
func (r sealed) event() Event {
	fact, err := decode(r.kind, r.body)
	if err != nil {
		fact = Unrecognised{Kind: r.kind, Body: r.body}
	}
	return Event{
		Seq: r.seq, Incident: r.incident, At: time.Unix(0, r.at).UTC(), Actor: r.actor,
		Happened: whenHappened(r.body), Fact: fact, Prev: r.prev, Hash: r.sum,
	}
}

// facts is one of each kind of fact, to decode by.
var facts = kinds(
	// course
	Opened{}, AlertAttached{}, Acknowledged{}, SeverityChanged{}, RoleTaken{}, RoleHandedOver{}, NoteTaken{}, MessageSent{},
	Resolved{}, Reopened{}, TaskAdded{}, TaskDone{}, TaskReopened{},
	// work
	RunbookOpened{}, StepStarted{}, StepOutput{}, StepFinished{}, StepRefused{}, StepApproved{}, VariablesExported{},
	SignalsMarked{}, Ticked{}, Unticked{}, RuledOut{}, StepSkipped{},
	// watch
	GateMeasured{}, ClockStarted{}, ClockAcknowledged{}, ClockExpired{}, SilenceMade{}, SilenceExpired{},
	// journal
	Pruned{},
)

func kinds(all ...Fact) map[string]reflect.Type {
	types := make(map[string]reflect.Type, len(all))
	for _, f := range all {
		types[f.kind()] = reflect.TypeOf(f)
	}
	return types
}

// Unrecognised is a fact that a newer version of the cockpit wrote, or that was
// damaged. It is kept and shown, and changes no fold.
type Unrecognised struct {
	Kind string
	Body []byte
}

func (u Unrecognised) kind() string { return u.Kind }

// decode is the reverse of encode.
func decode(kind string, body []byte) (Fact, error) {
	t, ok := facts[kind]
	if !ok {
		return Unrecognised{Kind: kind, Body: body}, nil
	}
	value := reflect.New(t)
	if err := json.Unmarshal(body, value.Interface()); err != nil {
		return nil, fmt.Errorf("decode %q: %w", kind, err)
	}
	return value.Elem().Interface().(Fact), nil
}

// seal makes the record of the event that follows last (zero for the first).
func seal(last sealed, now time.Time, incident string, actor Actor, fact Fact) (record, error) {
	kind, body, err := encode(fact)
	if err != nil {
		return record{}, err
	}
	return follow(last, now, incident, actor, kind, body), nil
}

// follow is seal for a fact that is encoded already. Time never goes back,
// whatever the machine's clock does.
func follow(last sealed, now time.Time, incident string, actor Actor, kind string, body []byte) record {
	return record{
		seq: last.seq + 1, incident: incident, at: max(now.UnixNano(), last.at), actor: actor,
		kind: kind, body: body, prev: last.sum,
	}
}

// happenedKey begins a body that arrived later than it was made. No fact has a
// field of that name.
const happenedKey = `{"happened":"`

// happened puts the time at which a fact was made into its body.
func happened(body []byte, at time.Time) []byte {
	rest := bytes.TrimPrefix(body, []byte("{"))
	comma := ","
	if bytes.Equal(rest, []byte("}")) {
		comma = ""
	}
	return slices.Concat([]byte(happenedKey+at.Format(time.RFC3339Nano)+`"`+comma), rest)
}

// whenHappened is the reverse; zero for a body without it.
func whenHappened(body []byte) time.Time {
	rest, late := bytes.CutPrefix(body, []byte(happenedKey))
	if !late {
		return time.Time{}
	}
	at, _, _ := bytes.Cut(rest, []byte(`"`))
	t, _ := time.Parse(time.RFC3339Nano, string(at))
	return t
}
