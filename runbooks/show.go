package runbooks

// Summary is a runbook as `flightdeck runbook list --json` prints it.
type Summary struct {
	Name     string `json:"name"`
	Alert    string `json:"alert"`
	Severity string `json:"severity"`
	File     string `json:"file"`
	Line     int    `json:"line"`
}

// Summarize is what a list says of a runbook.
func Summarize(rb *Runbook) Summary {
	return Summary{Name: rb.Name, Alert: rb.Alert, Severity: rb.Severity, File: rb.File, Line: rb.Line}
}

// Detail is a runbook as `flightdeck runbook show --json` prints it.
type Detail struct {
	Summary
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	Threshold   string       `json:"threshold,omitempty"`
	Versions    []string     `json:"versions,omitempty"`
	Steps       []StepDetail `json:"steps"`
	Criteria    []FactDetail `json:"criteria,omitempty"`
	Texts       []TextDetail `json:"texts,omitempty"`
	Links       []LinkDetail `json:"links,omitempty"`
}

// StepDetail is one step, with those inside it.
type StepDetail struct {
	ID         string          `json:"id"`
	Section    string          `json:"section"`
	Line       int             `json:"line"`
	Number     string          `json:"number,omitempty"`
	Title      string          `json:"title"`
	Group      string          `json:"group,omitempty"`
	Kind       StepKind        `json:"kind"`
	If         string          `json:"if,omitempty"`
	Text       string          `json:"text,omitempty"`
	Commands   []CommandDetail `json:"commands"`
	Queries    []QueryDetail   `json:"queries"`
	Notes      []TextDetail    `json:"notes,omitempty"`
	Assertions []FactDetail    `json:"assertions,omitempty"`
	Clocks     []ClockDetail   `json:"clocks,omitempty"`
	Message    *MessageDetail  `json:"message,omitempty"`
	Steps      []StepDetail    `json:"steps"`
}

// CommandDetail is one command.
type CommandDetail struct {
	Text          string   `json:"text"`
	Caption       string   `json:"caption"`
	Language      Language `json:"language"`
	Line          int      `json:"line"`
	Risk          Risk     `json:"risk"`
	Why           []string `json:"why,omitempty"`
	If            string   `json:"if,omitempty"`
	Placeholders  []string `json:"placeholders"`
	Variables     []string `json:"variables"`
	Substitutions []string `json:"substitutions,omitempty"`
	Endless       bool     `json:"endless"`
	Interactive   bool     `json:"interactive"`
	Files         []string `json:"files"`
	Programs      []string `json:"programs,omitempty"`
	Platform      Platform `json:"platform,omitempty"`
	Through       string   `json:"through,omitempty"`
	Output        string   `json:"output,omitempty"`
	Problem       string   `json:"problem,omitempty"`
	Alternative   int      `json:"alternative,omitempty"`
	Option        int      `json:"option,omitempty"`
}

// QueryDetail is one expression.
type QueryDetail struct {
	Original string   `json:"original"`
	Line     int      `json:"line"`
	Parses   bool     `json:"parses"`
	Repair   string   `json:"repair"`
	Repairs  []string `json:"repairs,omitempty"`
	Caption  string   `json:"caption,omitempty"`
}

// FactDetail is one assertion or criterion.
type FactDetail struct {
	Text   string  `json:"text"`
	Line   int     `json:"line"`
	Signal string  `json:"signal,omitempty"`
	Op     string  `json:"op,omitempty"`
	Value  float64 `json:"value,omitempty"`
	Unit   string  `json:"unit,omitempty"`
}

// ClockDetail is one clock.
type ClockDetail struct {
	Kind    ClockKind `json:"kind"`
	Title   string    `json:"title"`
	Seconds float64   `json:"seconds"`
	Line    int       `json:"line"`
}

// MessageDetail is a message template.
type MessageDetail struct {
	Text  string   `json:"text"`
	Line  int      `json:"line"`
	Slots []string `json:"slots"`
}

// TextDetail is a stretch of the book that is only text.
type TextDetail struct {
	Title string `json:"title,omitempty"`
	Text  string `json:"text"`
	Line  int    `json:"line"`
	If    string `json:"if,omitempty"`
}

// LinkDetail is one link.
type LinkDetail struct {
	Text string `json:"text"`
	URL  string `json:"url"`
	Line int    `json:"line"`
}

// Show is everything that is known of a runbook.
func Show(rb *Runbook) Detail {
	d := Detail{
		Summary: Summarize(rb), Title: rb.Title, Description: rb.Description, Threshold: rb.Threshold,
		Versions: rb.Versions, Steps: []StepDetail{}, Criteria: showFacts(rb.Criteria),
	}
	for _, s := range rb.Sections {
		d.Steps = append(d.Steps, showSteps(s.Title, s.Steps)...)
		if s.Text != "" {
			d.Texts = append(d.Texts, TextDetail{Title: s.Title, Text: s.Text, Line: s.Line})
		}
	}
	for _, l := range rb.Links {
		d.Links = append(d.Links, LinkDetail(l))
	}
	return d
}

func showSteps(section string, steps []Step) []StepDetail {
	out := make([]StepDetail, 0, len(steps))
	for _, st := range steps {
		d := StepDetail{
			ID: st.ID, Section: section, Line: st.Line, Number: st.Number, Title: st.Title, Group: st.Group, Kind: st.Kind,
			If: st.If, Text: st.Text, Commands: []CommandDetail{}, Queries: []QueryDetail{}, Assertions: showFacts(st.Assertions),
			Steps: showSteps(section, st.Steps),
		}
		for _, c := range st.Commands {
			d.Commands = append(d.Commands, showCommand(c))
		}
		for _, q := range st.Queries {
			d.Queries = append(d.Queries, QueryDetail{Original: q.Original, Line: q.Line, Parses: q.Parses, Repair: q.Repair, Repairs: q.Repairs, Caption: q.Caption})
		}
		for _, n := range st.Notes {
			d.Notes = append(d.Notes, TextDetail{Text: n.Text, Line: n.Line, If: n.If})
		}
		for _, c := range st.Clocks {
			d.Clocks = append(d.Clocks, ClockDetail{Kind: c.Kind, Title: c.Title, Seconds: c.After.Seconds(), Line: c.Line})
		}
		if st.Message != nil {
			d.Message = &MessageDetail{Text: st.Message.Text, Line: st.Message.Line, Slots: filled(st.Message.Slots)}
		}
		out = append(out, d)
	}
	return out
}

func showCommand(c Command) CommandDetail {
	d := CommandDetail{
		Text: c.Text, Caption: c.Caption, Language: c.Language, Line: c.Line, Risk: c.Risk, If: c.If,
		Placeholders: filled(c.Placeholders), Variables: filled(c.Variables), Substitutions: c.Substitutions,
		Endless: c.Endless, Interactive: c.Interactive, Files: filled(c.Files), Programs: c.Programs, Platform: c.Platform,
		Through: c.Through, Output: c.Output, Problem: c.Problem, Alternative: c.Alternative, Option: c.Option,
	}
	if c.Risk != Reads {
		for _, f := range Judge(c.Language, c.Text).Findings {
			add(&d.Why, f.Why)
		}
	}
	return d
}

func showFacts(facts []Assertion) []FactDetail {
	var out []FactDetail
	for _, a := range facts {
		out = append(out, FactDetail(a))
	}
	return out
}

// filled is a list that prints as [] and never as null.
func filled(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
