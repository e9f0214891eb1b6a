package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// runbookCommand prints runbooks as the cockpit understands them.
func runbookCommand(flags *config.Flags) *cobra.Command {
	asJSON := false
	library := func() (*runbooks.Library, error) {
		cfg, _, err := config.Load(flags, os.Environ())
		if err != nil {
			return nil, err
		}
		return openLibrary(cfg)
	}
	list := &cobra.Command{
		Use:   "list",
		Short: "List the runbooks, by file and line",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			lib, err := library()
			if err != nil {
				return err
			}
			summaries := []runbooks.Summary{}
			for _, rb := range lib.All() {
				summaries = append(summaries, runbooks.Summarize(rb))
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), summaries)
			}
			tab := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, s := range summaries {
				_, _ = fmt.Fprintf(tab, "%s\t%s\t%s\t%s:%d\n", ui.Clean(s.Name), ui.Clean(s.Alert), ui.Clean(s.Severity), ui.Clean(s.File), s.Line)
			}
			return tab.Flush()
		},
	}
	show := &cobra.Command{
		Use:   "show NAME",
		Short: "Print a runbook's steps, with the risk of each command",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			lib, err := library()
			if err != nil {
				return err
			}
			rb, ok := lib.ByName(args[0])
			if !ok {
				return fmt.Errorf("no runbook is named %q; flightdeck runbook list names them", args[0])
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), runbooks.Show(rb))
			}
			return writeRunbook(cmd.OutOrStdout(), rb)
		},
	}
	for _, cmd := range []*cobra.Command{list, show} {
		cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	}
	cmd := &cobra.Command{Use: "runbook", Short: "List the runbooks, or show one as it is understood", Args: cobra.NoArgs}
	cmd.AddCommand(list, show)
	return cmd
}

func writeJSON(w io.Writer, value any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}

// writeRunbook prints a runbook as plain lines.
func writeRunbook(w io.Writer, rb *runbooks.Runbook) error {
	out := &lines{w: w}
	out.add("%s  %s  %s:%d", ui.Clean(rb.Title), ui.Clean(rb.Alert), ui.Clean(rb.File), rb.Line)
	for _, section := range rb.Sections {
		if len(section.Steps) > 0 {
			out.add("\n%s", ui.Clean(section.Title))
			out.steps(section.Steps, "  ")
		}
	}
	return out.err
}

// lines writes lines until the first error.
type lines struct {
	w   io.Writer
	err error
}

func (l *lines) add(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format+"\n", args...)
	}
}

// text writes lines with what they are before the first.
func (l *lines) text(indent, what, text string) {
	for i, line := range ui.CleanLines(strings.TrimRight(text, "\n")) {
		if i > 0 {
			what = ""
		}
		l.add("%s    %-8s  %s", indent, what, line)
	}
}

func (l *lines) steps(steps []runbooks.Step, indent string) {
	for _, step := range steps {
		l.add("%s%s %s  [%s]", indent, ui.Clean(step.Number), ui.Clean(step.Title), step.Kind)
		for _, cmd := range step.Commands {
			l.text(indent, string(cmd.Risk), cmd.Text)
		}
		for _, q := range step.Queries {
			l.text(indent, "promql", q.Original)
			switch {
			case q.Parses:
			case q.Repair == "":
				l.text(indent, "", "does not parse")
			default:
				l.text(indent, "", "does not parse; meant is "+strings.Join(q.Repairs, "\nor "))
			}
		}
		if step.Message != nil {
			l.text(indent, "message", step.Message.Text)
		}
		l.steps(step.Steps, indent+"  ")
	}
}
