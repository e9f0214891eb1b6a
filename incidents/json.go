package incidents

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// MarshalText writes a hash in hex.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads it back.
func (h *Hash) UnmarshalText(text []byte) error {
	if hex.DecodedLen(len(text)) != len(h) {
		return errors.New("a hash has 64 hexadecimal digits")
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// eventForm is an event as it is exported.
type eventForm struct {
	Seq      int64           `json:"seq"`
	Incident string          `json:"incident"`
	At       time.Time       `json:"at"`
	Happened time.Time       `json:"happened,omitzero"`
	Actor    Actor           `json:"actor"`
	Kind     string          `json:"kind"`
	Fact     json.RawMessage `json:"fact"`
	Prev     Hash            `json:"prev"`
	Hash     Hash            `json:"hash"`
}

// MarshalJSON writes an event with the kind of its fact beside it.
func (e Event) MarshalJSON() ([]byte, error) {
	kind, body, err := encode(e.Fact)
	if err != nil {
		return nil, err
	}
	if !json.Valid(body) { // a damaged fact is shown as it is
		body, err = json.Marshal(string(body))
	}
	if err != nil {
		return nil, err
	}
	return plainJSON(eventForm{e.Seq, e.Incident, e.At, e.Happened, e.Actor, kind, body, e.Prev, e.Hash})
}

// UnmarshalJSON reads it back.
func (e *Event) UnmarshalJSON(data []byte) error {
	var form eventForm
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	fact, err := decode(form.Kind, form.Fact)
	*e = Event{
		Seq: form.Seq, Incident: form.Incident, At: form.At, Happened: form.Happened, Actor: form.Actor,
		Fact: fact, Prev: form.Prev, Hash: form.Hash,
	}
	return err
}

// incidentForm is an incident as it is exported. JSON has no maps whose keys
// are structs, so the items become a list.
type incidentForm struct {
	incidentFields
	Items []itemForm `json:"items,omitempty"`
}

type incidentFields Incident

type itemForm struct {
	Ref CommandRef `json:"ref"`
	Item
}

// MarshalJSON writes an incident with its items in the order of their names.
func (i Incident) MarshalJSON() ([]byte, error) {
	form := incidentForm{incidentFields: incidentFields(i), Items: make([]itemForm, 0, len(i.Items))}
	for ref, item := range i.Items {
		form.Items = append(form.Items, itemForm{ref, item})
	}
	slices.SortFunc(form.Items, func(a, b itemForm) int {
		return cmp.Or(strings.Compare(a.Ref.Runbook, b.Ref.Runbook), strings.Compare(a.Ref.Step, b.Ref.Step), a.Ref.Command-b.Ref.Command)
	})
	return plainJSON(form)
}

// UnmarshalJSON reads it back.
func (i *Incident) UnmarshalJSON(data []byte) error {
	var form incidentForm
	if err := json.Unmarshal(data, &form); err != nil {
		return fmt.Errorf("read an incident: %w", err)
	}
	*i = Incident(form.incidentFields).clone()
	for _, item := range form.Items {
		i.Items[item.Ref] = item.Item
	}
	return nil
}

// plainJSON leaves <, > and & as they are: shell is full of them.
func plainJSON(value any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}
