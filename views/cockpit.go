package views

import (
	"context"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// Deps is what the screens stand on. It is wired once in main, and shared by
// every viewer but for the operator and the terminal's environment.
type Deps struct {
	Config   config.Config
	Board    *probes.Board
	Library  *runbooks.Library
	Runner   *incidents.Runner
	Operator incidents.Operator
	// Context and Namespace are where every command runs, pinned at start.
	Context, Namespace string
	// Trouble is what the operator has to know from the start, nil for nothing.
	Trouble error
	// Chart evaluates an alerting rule's expression over a time.
	Chart func(ctx context.Context, query string, start, end time.Time, step time.Duration) (probes.Chart, error)
	// Preview tells what a command would change, and changes nothing.
	Preview func(ctx context.Context, cmd runbooks.Bound) (runbooks.Preview, error)
	// Permissions asks the cluster for what a command needs and may not do.
	Permissions func(ctx context.Context, cmd runbooks.Bound) []runbooks.Obstacle
	// Silencer makes and ends silences, through the runner only.
	Silencer *probes.Silencer
	// Send gives a text to the configured webhook, which Webhook names; nil where
	// none is.
	Send    func(ctx context.Context, text string) error
	Webhook string
	// Explain gives PostgreSQL's plan of a statement, which is not executed.
	Explain func(ctx context.Context, cmd runbooks.Bound) ([]string, error)
	// Services lists the services of the namespace.
	Services func(ctx context.Context) ([]probes.Service, error)
	// Follow tails the logs of the pods of a selector until stop is called. For
	// the service's own selector it is the tail that all viewers share.
	Follow func(selector string) (tail *probes.Tail, stop func())
}

// screen is what fills the terminal between the first line and the key line.
type screen interface {
	render(now time.Time, width, height int) []string
	keys() []ui.Binding
	// update takes the messages that the cockpit does not know.
	update(msg tea.Msg) tea.Cmd
	// filterable is the pane that a filter narrows now, nil for none.
	filterable() filterable
	close()
}

type filterable interface {
	filter(text string) error
	filtered() string
}

// The smallest terminals: below the first one the cockpit shows the answers of
// its panes and says what it needs, below the second it only says what it needs.
const (
	fullWidth, fullHeight   = 80, 24
	leastWidth, leastHeight = 40, 10
)

// framePause is the least time between two frames that a change of the world
// causes: about ten a second, which is plenty to read and little over SSH.
const framePause = 100 * time.Millisecond

// Cockpit is the root of the screen: it routes messages, holds the stack of
// screens and dialogs, and never blocks.
type Cockpit struct {
	deps    Deps
	theme   ui.Theme
	env     tea.EnvMsg
	now     time.Time
	width   int
	height  int
	screens []screen
	dialogs ui.Stack
	prompt  *prompt
	flash   flash
	changed <-chan struct{}
	stop    func()
	left    chan struct{} // closed with the cockpit, for what waits on its behalf
	frame   string        // the last frame, until something happens
	dirty   bool
}

// flash is a sentence in the place of the key line until a key is pressed.
type flash struct {
	text string
	bad  bool
}

// prompt is the line that is being typed at the bottom, and what enter does
// with it.
type prompt struct {
	*ui.Prompt
	enter func(text string) tea.Cmd
	// typed is called at each key, for filters that work while one types, and
	// leave when the prompt is left with esc.
	typed func(text string)
	leave func()
}

// The messages that the cockpit sends to itself.
type (
	worldChanged struct{}         // a reading, the journal, or a run changed
	watchAgain   struct{}         // it is time to look for changes again
	second       time.Time        // the clock moved
	say          struct{ flash }  // a sentence for the operator
	push         struct{ screen } // a screen to open
	ask          struct{ ui.Dialog }
)

// failed is a sentence about an error.
func failed(err error) tea.Msg { return say{flash{text: err.Error(), bad: true}} }

// told is a sentence that is not about an error.
func told(text string) tea.Msg { return say{flash{text: text}} }

// NewCockpit returns the cockpit on its home screen. Nothing is read until it
// runs, and its first frame waits for nothing.
func NewCockpit(deps Deps) *Cockpit {
	c := &Cockpit{deps: deps, theme: ui.DefaultTheme(), now: time.Now(), width: 80, height: 24, dirty: true, left: make(chan struct{})}
	c.changed, c.stop = watchAll(deps.Board, deps.Runner, deps.Library)
	c.screens = []screen{newHome(c)}
	if deps.Trouble != nil {
		c.flash = flash{text: deps.Trouble.Error(), bad: true}
	}
	return c
}

// watchAll merges what the board, the runner and the library tell.
func watchAll(board *probes.Board, runner *incidents.Runner, library *runbooks.Library) (<-chan struct{}, func()) {
	readings, stopReadings := board.Watch()
	events, stopEvents := runner.Watch()
	books, stopBooks := library.Changes()
	merged, done := make(chan struct{}, 1), make(chan struct{})
	go func() {
		for {
			select {
			case <-readings:
			case <-events:
			case <-books:
			case <-done:
				return
			}
			select {
			case merged <- struct{}{}:
			default:
			}
		}
	}()
	return merged, func() { close(done); stopReadings(); stopEvents(); stopBooks() }
}

// Close ends what the cockpit watches. The runner and the probes go on.
func (c *Cockpit) Close() {
	c.stop()
	close(c.left)
	for _, s := range c.screens {
		s.close()
	}
}

// Init implements tea.Model.
func (c *Cockpit) Init() tea.Cmd { return tea.Batch(c.watch, c.clock()) }

// watch waits for the next change.
func (c *Cockpit) watch() tea.Msg {
	<-c.changed
	return worldChanged{}
}

// clock ticks on the second, so that ages and the time change together.
func (c *Cockpit) clock() tea.Cmd {
	return tea.Every(time.Second, func(t time.Time) tea.Msg { return second(t) })
}

// Update implements tea.Model. It does no I/O.
func (c *Cockpit) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	c.dirty = true
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		c.width, c.height = msg.Width, msg.Height
		return c, nil
	case tea.EnvMsg:
		c.env = msg
		return c, ui.ProbeSync(msg)
	case worldChanged:
		c.now = time.Now()
		return c, tea.Tick(framePause, func(time.Time) tea.Msg { return watchAgain{} })
	case watchAgain:
		c.dirty = false
		return c, c.watch
	case second:
		c.now = time.Time(msg)
		return c, tea.Batch(c.clock(), c.top().update(msg))
	case tea.KeyPressMsg:
		return c, c.press(msg)
	case tea.PasteMsg:
		return c, c.paste(msg)
	case say:
		c.flash = msg.flash
		return c, nil
	case ui.Refused:
		c.flash = flash{text: msg.Reason, bad: true}
		return c, nil
	case ui.Copied:
		c.flash = copied(msg)
		return c, nil
	case push:
		c.screens = append(c.screens, msg.screen)
		return c, nil
	case ask:
		c.dialogs.Open(msg.Dialog)
		return c, nil
	}
	return c, tea.Batch(c.top().update(msg), c.dialogs.Update(msg))
}

// live offers values for placeholders from the board.
func (c *Cockpit) live() live {
	return live{board: c.deps.Board, deployment: c.deps.Config.Service.Deployment, now: func() time.Time { return c.now }}
}

func (c *Cockpit) top() screen { return c.screens[len(c.screens)-1] }

// press gives a key to what has the keys: the dialog, then the prompt, then the
// screen, then the cockpit itself.
func (c *Cockpit) press(key tea.KeyPressMsg) tea.Cmd {
	c.now = time.Now()
	c.flash = flash{}
	if key.String() == "ctrl+c" {
		return c.quit()
	}
	if c.dialogs.Top() != nil {
		return c.dialogs.Update(key)
	}
	if c.prompt != nil {
		return c.promptKey(key)
	}
	if cmd, handled := ui.Press(c.top().keys(), key); handled {
		return cmd
	}
	cmd, _ := ui.Press(c.keys(), key)
	return cmd
}

func (c *Cockpit) paste(msg tea.PasteMsg) tea.Cmd {
	if c.dialogs.Top() != nil {
		return c.dialogs.Update(msg)
	}
	if c.prompt != nil {
		return c.prompt.Update(msg)
	}
	return nil
}

// keys are the bindings that work on every screen.
func (c *Cockpit) keys() []ui.Binding {
	noFilter := ""
	if c.top().filterable() == nil {
		noFilter = "nothing here is a list"
	}
	return []ui.Binding{
		{Keys: []string{"/"}, Does: "filter", Why: noFilter, Action: c.askFilter},
		{Keys: []string{":"}, Does: "command", Action: c.askCommand},
		{Keys: []string{"?"}, Does: "help", Action: c.help},
		{Keys: []string{"esc"}, Does: "back", Quiet: true, Action: c.back},
		{Keys: []string{"q"}, Does: "quit", Quiet: true, Action: c.quit},
	}
}

// back clears the filter, then leaves the screen; the home screen stays.
func (c *Cockpit) back() tea.Cmd {
	if f := c.top().filterable(); f != nil && f.filtered() != "" {
		_ = f.filter("")
		return nil
	}
	if len(c.screens) > 1 {
		c.top().close()
		c.screens = c.screens[:len(c.screens)-1]
	}
	return nil
}

// quit leaves; it asks while a step runs.
func (c *Cockpit) quit() tea.Cmd {
	running := c.deps.Runner.Running()
	if len(running) == 0 {
		return tea.Quit
	}
	if _, asked := c.dialogs.Top().(*leaving); asked {
		return tea.Quit // ctrl+c twice always leaves
	}
	c.dialogs.Open(newLeaving(running, c.now))
	return nil
}

func (c *Cockpit) help() tea.Cmd {
	c.dialogs.Open(ui.NewHelp([]ui.KeyGroup{
		{Title: "here", Bindings: ui.Reachable(c.top().keys())},
		{Title: "everywhere", Bindings: c.keys()},
	}))
	return nil
}

// copyText puts text into the operator's clipboard.
func (c *Cockpit) copyText(text string) tea.Cmd { return ui.Copy(text, c.env) }

func copied(msg ui.Copied) flash {
	if msg.Truncated() {
		return flash{text: "copied the first " + ui.Bytes(int64(msg.Bytes)) + " of " + ui.Bytes(int64(msg.Total)) + ": a terminal takes no more at once", bad: true}
	}
	return flash{text: "copied " + ui.Bytes(int64(msg.Bytes))}
}

// View implements tea.Model. A frame is drawn once for each thing that
// happened, however often it is asked for.
func (c *Cockpit) View() tea.View {
	if c.dirty || c.frame == "" {
		c.frame, c.dirty = c.draw(), false
	}
	view := tea.NewView(c.frame)
	view.AltScreen = true
	view.WindowTitle = "flightdeck " + ui.Clean(c.deps.Namespace)
	return view
}

func (c *Cockpit) draw() string {
	if c.width < fullWidth || c.height < fullHeight {
		return strings.Join(c.small(), "\n")
	}
	bottom := c.bottom()
	lines := c.top().render(c.now, c.width, c.height-1)
	lines = append(ui.Block(lines, c.width, c.height-len(bottom)), bottom...)
	return c.dialogs.Overlay(c.theme, strings.Join(lines, "\n"), c.width, c.height)
}

// maxSentence is how many lines a sentence takes of the screen's end: enough for
// an error with what to do about it.
const maxSentence = 4

// bottom is the last line: the prompt, a sentence, or the keys. A sentence that
// is longer takes more lines.
func (c *Cockpit) bottom() []string {
	mode := c.mode()
	switch {
	case c.prompt != nil:
		return []string{c.prompt.Render(c.theme, c.width)}
	case c.flash.text != "":
		style := c.theme.Plain
		if c.flash.bad {
			style = c.theme.Warn
		}
		lines := indent(style, ui.Clean(c.flash.text), c.width)
		return ui.Block(lines, c.width, min(len(lines), maxSentence))
	}
	if d := c.dialogs.Top(); d != nil {
		return []string{ui.KeyLine(c.theme, d.Keys(), mode, c.width)}
	}
	return []string{ui.KeyLine(c.theme, append(c.top().keys(), c.keys()...), mode, c.width)}
}

// mode is what the right end of the last line says: what may be done here, and
// whether it will be remembered.
func (c *Cockpit) mode() string {
	mode := "read-write"
	if c.deps.Runner.ReadOnly() {
		mode = "read-only"
	}
	if !c.deps.Runner.Durable() {
		mode = "journal in memory   " + mode
	}
	return c.theme.Dim.Render(mode)
}
