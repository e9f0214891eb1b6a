package views

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// message is a template with what the incident knows in its slots, and whether
// it was sent already.
func (p *stepPanel) message(inc incidents.Incident, m runbooks.Message, now time.Time, width int) []string {
	theme := p.c.theme
	text, open := fillSlots(m, p.slotValues(inc, now))
	var lines []string
	for _, line := range ui.CleanLines(strings.TrimRight(text, "\n")) {
		for i, part := range ui.Wrap(line, max(8, width-4)) {
			bar := " " + theme.Dim.Render("┊") + " "
			if i > 0 {
				bar += "  "
			}
			lines = append(lines, ui.Cut(bar+part, width))
		}
	}
	if len(open) > 0 {
		lines = append(lines, indent(theme.Warn, "to fill: "+ui.Clean(strings.Join(open, ", ")), width)...)
	}
	for _, e := range inc.Messages {
		if sent, ok := e.Fact.(incidents.MessageSent); ok && sent.Ref == p.whole() {
			lines = append(lines, ui.Cut(" "+theme.Good.Render(ui.GlyphDone+" "+sentTo(sent.To))+theme.Dim.Render("   "+ui.Clean(e.Actor.Name)+"   "+e.At.Local().Format("15:04:05")), width))
		}
	}
	return lines
}

func sentTo(where string) string {
	if where == "clipboard" {
		return "copied"
	}
	return "sent to " + ui.Clean(where)
}

// write opens the step's message in an editor.
func (p *stepPanel) write() tea.Cmd {
	text, _ := fillSlots(*p.current.Message, p.slotValues(p.screen.incident(), p.c.now))
	p.c.dialogs.Open(newMessageEditor(p.screen, p.current.Title, p.whole(), p.current.Message.Slots, strings.TrimRight(text, "\n")))
	return nil
}

// ownMessage opens the editor on a message that no book has.
func (s *incidentScreen) ownMessage() tea.Cmd {
	inc := s.incident()
	s.c.dialogs.Open(newMessageEditor(s, "message about "+inc.ID, incidents.CommandRef{}, nil, inc.ID+" "+inc.Title+": "))
	return nil
}

// messageEditor is where a message is read and changed before it leaves the
// cockpit. Slots that nothing filled are still in it, in brackets; tab goes to
// the next one, and what is typed then takes its place.
type messageEditor struct {
	screen *incidentScreen
	title  string
	ref    incidents.CommandRef // of the step; zero for a message of one's own
	slots  []string             // of the template
	editor *ui.Editor
	at     string // the slot in front of the cursor, which typing replaces
}

func newMessageEditor(s *incidentScreen, title string, ref incidents.CommandRef, slots []string, text string) *messageEditor {
	d := &messageEditor{screen: s, title: title, ref: ref, slots: slots, editor: ui.NewEditor(s.c.theme, text)}
	if len(slots) == 0 {
		d.editor.SetText(text, len(text))
	}
	d.nextSlot()
	return d
}

// Title implements ui.Dialog.
func (d *messageEditor) Title() string { return ui.Clean(d.title) }

// Keys implements ui.Dialog.
func (d *messageEditor) Keys() []ui.Binding {
	send := ui.Binding{Keys: []string{"ctrl+s"}, Does: "send", Action: d.send}
	switch left := len(d.left()); {
	case d.screen.c.deps.Send == nil:
		send.Why = "no webhook is configured"
	case left > 0:
		send.Why = count(left, "gap") + " left: fill them or take them out"
	}
	return []ui.Binding{
		{Keys: []string{"ctrl+y"}, Does: "copy", Action: d.copy},
		send,
		{Keys: []string{"tab"}, Does: "next gap", Action: func() tea.Cmd { d.nextSlot(); return nil }},
		{Keys: []string{"esc"}, Does: "leave it"},
	}
}

// Update implements ui.Dialog.
func (d *messageEditor) Update(msg tea.Msg) (tea.Cmd, bool) {
	switch msg := msg.(type) {
	case tea.PasteMsg:
		d.fill()
		return d.editor.Update(msg), false
	case tea.KeyPressMsg:
		if msg.String() == "esc" {
			return nil, true
		}
		if cmd, handled := ui.Press(d.Keys(), msg); handled {
			gone := msg.String() == "ctrl+y" || msg.String() == "ctrl+s" && d.screen.c.deps.Send != nil
			return cmd, gone && len(d.left()) == 0
		}
		if msg.Text != "" {
			d.fill()
		}
		d.at = ""
		return d.editor.Update(msg), false
	}
	return nil, false
}

// left are the slots that are still in the text.
func (d *messageEditor) left() []string {
	var out []string
	for _, slot := range d.slots {
		if strings.Contains(d.editor.Text(), "["+slot+"]") {
			out = append(out, slot)
		}
	}
	return out
}

// nextSlot puts the cursor in front of the next slot behind it, or the first.
func (d *messageEditor) nextSlot() {
	text, cursor := d.editor.Text(), d.editor.Cursor()
	first, next, firstSlot, nextSlot := -1, -1, "", ""
	for _, slot := range d.left() {
		gap := "[" + slot + "]"
		if i := strings.Index(text, gap); first < 0 || i < first {
			first, firstSlot = i, slot
		}
		if from := min(cursor+1, len(text)); d.at != "" || next < 0 {
			if i := strings.Index(text[from:], gap); i >= 0 && (next < 0 || from+i < next) {
				next, nextSlot = from+i, slot
			}
		}
	}
	if next < 0 {
		next, nextSlot = first, firstSlot
	}
	if d.at = nextSlot; next >= 0 {
		d.editor.SetText(text, next)
	}
}

// fill takes the slot in front of the cursor out, for what is typed.
func (d *messageEditor) fill() {
	if d.at == "" {
		return
	}
	text, cursor := d.editor.Text(), d.editor.Cursor()
	if rest, ok := strings.CutPrefix(text[cursor:], "["+d.at+"]"); ok {
		d.editor.SetText(text[:cursor]+rest, cursor)
	}
	d.at = ""
}

// copy puts the message on the operator's clipboard, records that, and ticks the
// step. With gaps in it it is copied all the same, and the editor stays.
func (d *messageEditor) copy() tea.Cmd {
	c, text := d.screen.c, d.editor.Text()
	record := d.screen.intend("record the message", "", func(ctx context.Context) error {
		_, err := c.deps.Runner.Copied(ctx, c.deps.Operator, d.screen.id, incidents.MessageSent{Title: d.title, Text: text, Ref: d.ref})
		if err != nil || len(d.left()) > 0 || d.ref == (incidents.CommandRef{}) {
			return err
		}
		_, err = c.deps.Runner.Tick(ctx, c.deps.Operator, d.screen.id, d.ref, "copied")
		return err
	})
	return tea.Sequence(c.copyText(text), record)
}

// send gives the message to the configured webhook.
func (d *messageEditor) send() tea.Cmd {
	c, text := d.screen.c, d.editor.Text()
	message := incidents.MessageSent{Title: d.title, Text: text, To: c.deps.Webhook, Ref: d.ref}
	return d.screen.intend("send the message", "the message was sent", func(ctx context.Context) error {
		_, err := c.deps.Runner.Send(ctx, c.deps.Operator, d.screen.id, message, c.deps.Send)
		return err
	})
}

// Lines implements ui.Dialog.
func (d *messageEditor) Lines(theme ui.Theme, width, height int) []string {
	const spare = 3 // lines below the text, to write on
	lines := append([]string{""}, d.editor.Render(width, max(3, min(height-4, d.editor.Height(width)+spare)))...)
	left := d.left()
	if len(left) == 0 {
		return append(lines, "", theme.Dim.Render("read it once more, then copy it"))
	}
	says := theme.Dim.Render(count(len(left), "gap") + " left: tab goes to the next")
	if d.at != "" {
		says = "what you type replaces " + theme.Accent.Render("["+ui.Clean(d.at)+"]") + theme.Dim.Render("   "+count(len(left), "gap")+" left")
	}
	return append(lines, "", ui.Cut(says, width))
}
