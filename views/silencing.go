package views

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// acknowledgedFor is how long an acknowledged alert notifies nobody: as long as
// karma's acknowledgements, enough to work undisturbed and short enough that a
// forgotten one comes back.
const acknowledgedFor = 15 * time.Minute

// The words that confirm what changes Alertmanager.
const (
	wordAcknowledge = "ack"
	wordSilence     = "silence"
	wordExpire      = "expire"
)

// silenceForm shows what a silence would be about, lets it be changed, and makes
// it when its word is typed.
type silenceForm struct {
	c       *Cockpit
	alert   probes.Alert
	word    string
	fields  []formField
	at      int // the field that has the keys; the last one is the word
	quiet   ui.Quiet
	wrong   error
	reading string // the matchers that were parsed last
	about   probes.Matchers
	badly   error // why the matchers cannot be parsed
}

type formField struct {
	label  string
	prompt *ui.Prompt
}

// The fields of a silence.
const (
	fieldMatchers = iota
	fieldFor
	fieldComment
	fieldWord
)

func newSilenceForm(c *Cockpit, alert probes.Alert, word string, d time.Duration, comment string) *silenceForm {
	field := func(label, text string) formField { return formField{label, ui.NewPrompt(c.theme, "", text, nil)} }
	f := &silenceForm{c: c, alert: alert, word: word, quiet: ui.NewQuiet(c.now), fields: []formField{
		field("about", probes.MatchersOf(alert).String()), field("for", typed(d)), field("because", comment), field("", ""),
	}}
	f.at = fieldWord
	if word == wordSilence {
		f.at = fieldFor
	}
	f.parse()
	return f
}

// typed is a duration of whole minutes as one types it: 15m, 1h.
func typed(d time.Duration) string {
	text := strings.TrimSuffix(d.String(), "0s")
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// unsilenceable is why the alert under the cursor cannot be silenced.
func (h *home) unsilenceable() string {
	if _, ok := h.alerts.selected(); !ok {
		return "no alert is selected"
	}
	if err := h.c.deps.Silencer.Available(); err != nil {
		return err.Error()
	}
	return ""
}

// unsilenced is why there is no silence to end.
func (h *home) unsilenced() string {
	alert, ok := h.alerts.selected()
	if !ok {
		return "no alert is selected"
	}
	if alert.Silence == nil {
		return "it is not silenced"
	}
	return ""
}

// acknowledge makes the alert under the cursor the operator's own: its incident
// says so, and where there is an Alertmanager a short silence tells the others.
func (h *home) acknowledge() tea.Cmd {
	alert, _ := h.alerts.selected()
	who := h.c.deps.Operator.Actor.Name
	h.c.dialogs.Open(newSilenceForm(h.c, alert, wordAcknowledge, acknowledgedFor, "ACK! "+who+" works on it"))
	return nil
}

func (h *home) silence() tea.Cmd {
	alert, _ := h.alerts.selected()
	h.c.dialogs.Open(newSilenceForm(h.c, alert, wordSilence, time.Hour, ""))
	return nil
}

// Title implements ui.Dialog.
func (d *silenceForm) Title() string {
	if d.word == wordAcknowledge {
		return "acknowledge " + ui.Clean(d.alert.Name)
	}
	return "silence " + ui.Clean(d.alert.Name)
}

// Keys implements ui.Dialog.
func (d *silenceForm) Keys() []ui.Binding {
	return []ui.Binding{{Keys: []string{"enter"}, Does: "next, and do it"}, {Keys: []string{"tab"}, Does: "next field"}, {Keys: []string{"esc"}, Does: "leave it"}}
}

func (d *silenceForm) text(field int) string {
	return strings.TrimSpace(d.fields[field].prompt.Text())
}

// parse reads the matchers anew when they changed.
func (d *silenceForm) parse() {
	if text := d.text(fieldMatchers); text != d.reading {
		d.reading = text
		d.about, d.badly = probes.ParseMatchers(text)
	}
}

// Update implements ui.Dialog.
func (d *silenceForm) Update(msg tea.Msg) (tea.Cmd, bool) {
	if paste, ok := msg.(tea.PasteMsg); ok {
		return d.fields[d.at].prompt.Update(paste), false
	}
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	if key.String() == "esc" {
		return nil, true
	}
	if !d.quiet.Over(time.Now()) {
		return nil, false
	}
	switch key.String() {
	case "tab", "down":
		d.at = (d.at + 1) % len(d.fields)
	case "shift+tab", "up":
		d.at = (d.at + len(d.fields) - 1) % len(d.fields)
	case "enter":
		if d.at < fieldWord {
			d.at++
			return nil, false
		}
		return d.make()
	default:
		cmd := d.fields[d.at].prompt.Update(key)
		d.wrong = nil
		d.parse()
		return cmd, false
	}
	return nil, false
}

// make checks what was typed, and makes the silence through the runner.
func (d *silenceForm) make() (tea.Cmd, bool) {
	length, err := time.ParseDuration(d.text(fieldFor))
	switch {
	case d.badly != nil:
		d.wrong = d.badly
	case err != nil || length <= 0:
		d.wrong = fmt.Errorf("for %q is no time: write 15m, 2h or 1h30m", d.text(fieldFor))
	case d.text(fieldComment) == "":
		d.wrong = fmt.Errorf("say why: others will read it in Alertmanager")
	case d.text(fieldWord) != d.word:
		d.wrong = fmt.Errorf("that is not %s", d.word)
	}
	if d.wrong != nil {
		return nil, false
	}
	return d.c.silence(d.alert, d.about, length, d.text(fieldComment), d.word == wordAcknowledge), true
}

// silence opens or joins the alert's incident and makes a silence that carries
// its name and who made it.
func (c *Cockpit) silence(alert probes.Alert, about probes.Matchers, length time.Duration, comment string, acknowledge bool) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		inc, err := c.incidentOf(ctx, alert)
		if err != nil {
			return failed(err)
		}
		if acknowledge && inc.Acknowledged.IsZero() {
			if _, err := c.deps.Runner.Acknowledge(ctx, c.deps.Operator, inc.ID, comment); err != nil {
				return failed(fmt.Errorf("acknowledge: %w", err))
			}
		}
		if acknowledge && c.deps.Silencer.Available() != nil {
			return told(alert.Name + " is yours, as " + inc.ID)
		}
		comment += " (" + inc.ID + ")"
		until := time.Now().Add(length)
		_, err = c.deps.Runner.Silence(ctx, c.deps.Operator, inc.ID, incidents.SilenceMade{Matchers: about.Strings(), Until: until, Comment: comment},
			func(ctx context.Context) (string, error) {
				return c.deps.Silencer.Silence(ctx, about, until, c.deps.Operator.Actor.Name, comment)
			})
		if err != nil {
			return failed(err)
		}
		return told(fmt.Sprintf("%s notifies nobody until %s, as %s", alert.Name, until.Local().Format("15:04"), inc.ID))
	}
}

// incidentOf is the open incident of an alert, which is opened where there is
// none.
func (c *Cockpit) incidentOf(ctx context.Context, alert probes.Alert) (incidents.Incident, error) {
	if inc, ok := c.deps.Runner.OpenFor(alert.Key()); ok {
		return inc, nil
	}
	inc, err := c.open(ctx, c.runbookOf(alert), incidentAlert{alert})
	if err != nil {
		return inc, fmt.Errorf("open an incident of %s: %w", alert.Name, err)
	}
	return inc, nil
}

// Lines implements ui.Dialog.
func (d *silenceForm) Lines(theme ui.Theme, width, height int) []string {
	const label = 9
	lines := []string{""}
	if d.word == wordAcknowledge && d.c.deps.Silencer.Available() != nil {
		lines = append(lines, theme.Dim.Render("no Alertmanager is configured: only the journal will say it"), "")
	}
	for i, field := range d.fields[:fieldWord] {
		name := theme.Dim.Render(ui.Fit(field.label, label))
		if i == d.at {
			name = theme.Accent.Render(ui.Fit(field.label, label))
			lines = append(lines, name+field.prompt.Render(theme, width-label))
			continue
		}
		for j, part := range ui.WrapCode(ui.Clean(field.prompt.Text()), max(8, width-label)) {
			if j > 0 {
				name = ui.Fit("", label)
			}
			lines = append(lines, name+part)
		}
	}
	lines = append(lines, "")
	lines = append(lines, d.matched(theme, width, height-len(lines)-4)...)
	word := "type " + theme.Strong.Render(d.word) + " to do it  "
	text := ui.Clean(d.fields[fieldWord].prompt.Text())
	if d.at == fieldWord {
		text = d.fields[fieldWord].prompt.Render(theme, max(8, width-ui.Width(word)))
	}
	lines = append(lines, "", ui.Cut(word+text, width))
	if d.wrong != nil {
		return append(lines, indent(theme.Warn, ui.Clean(d.wrong.Error()), width)...)
	}
	return append(lines, "")
}

// matched are the alerts that the silence would be about now.
func (d *silenceForm) matched(theme ui.Theme, width, room int) []string {
	if d.badly != nil {
		return indent(theme.Warn, ui.Clean(d.badly.Error()), width)
	}
	var names []string
	all := d.c.deps.Board.Alerts.Load().Value.Alerts
	for _, a := range all {
		if d.about.Match(a) {
			names = append(names, ui.Clean(a.Name)+"  "+theme.Dim.Render(ui.Clean(string(a.State)+"  "+labelText(a.Labels))))
		}
	}
	style := theme.Plain
	if len(names) != 1 {
		style = theme.Warn // none, or more than the one that was meant
	}
	lines := []string{style.Render(fmt.Sprintf("it is about %d of %s now", len(names), count(len(all), "alert")))}
	for i, name := range names {
		if len(lines) >= max(2, room) {
			return append(lines, theme.Dim.Render(fmt.Sprintf("  %d more", len(names)-i)))
		}
		lines = append(lines, ui.Cut("  "+name, width))
	}
	return lines
}

// expireForm ends a silence when its word is typed.
type expireForm struct {
	typedWord
	c     *Cockpit
	alert probes.Alert
}

func (h *home) expireSilence() tea.Cmd {
	alert, _ := h.alerts.selected()
	h.c.dialogs.Open(&expireForm{typedWord: newTypedWord(h.c, wordExpire), c: h.c, alert: alert})
	return nil
}

// Title implements ui.Dialog.
func (d *expireForm) Title() string { return "end the silence of " + ui.Clean(d.alert.Name) }

// Keys implements ui.Dialog.
func (d *expireForm) Keys() []ui.Binding {
	return []ui.Binding{{Keys: []string{"enter"}, Does: "end it"}, {Keys: []string{"esc"}, Does: "leave it"}}
}

// Update implements ui.Dialog.
func (d *expireForm) Update(msg tea.Msg) (tea.Cmd, bool) {
	cmd, typed, left := d.update(msg)
	if typed {
		return d.expire(), true
	}
	return cmd, left
}

func (d *expireForm) expire() tea.Cmd {
	c, alert := d.c, d.alert
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		inc, err := c.incidentOf(ctx, alert)
		if err != nil {
			return failed(err)
		}
		_, err = c.deps.Runner.ExpireSilence(ctx, c.deps.Operator, inc.ID, alert.Silence.ID, func(ctx context.Context) error {
			return c.deps.Silencer.Expire(ctx, alert.Silence.ID)
		})
		if err != nil {
			return failed(err)
		}
		return told("the silence of " + alert.Name + " is over")
	}
}

// Lines implements ui.Dialog.
func (d *expireForm) Lines(theme ui.Theme, width, _ int) []string {
	s := d.alert.Silence
	lines := []string{
		"",
		theme.Dim.Render("made by  ") + ui.Clean(s.CreatedBy),
		theme.Dim.Render("because  ") + ui.Cut(ui.Clean(s.Comment), width-9),
		theme.Dim.Render("until    ") + s.EndsAt.Local().Format("2006-01-02 15:04"),
		"",
	}
	return append(lines, d.typedWord.lines(theme, "to end it", width)...)
}
