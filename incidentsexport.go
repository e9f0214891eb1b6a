package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/runbooks/lint"
	"github.com/erpgo/flightdeck/ui"
)

// How the signals of an incident are measured.
const (
	aroundIncident = 15 * time.Minute // before it began and after it ended
	finestStep     = 15 * time.Second // of two samples
	samples        = 240              // over the whole, as many as a chart shows
)

// incidentsExportCommand writes the post-mortem of an incident.
func incidentsExportCommand(flags *config.Flags) *cobra.Command {
	asJSON, asHTML, file := false, false, ""
	cmd := &cobra.Command{
		Use:   "export ID",
		Short: "Write the post-mortem of an incident, as Markdown, JSON or a page of HTML",
		Long: "Write the post-mortem of an incident: what happened and what it did to the signals, the\n" +
			"timeline, the commands with their results and who confirmed them, what was ruled out or\n" +
			"skipped, the gates, what the linter says of the runbook, and the open tasks.\n\n" +
			"The signals are asked of Prometheus; where it does not answer the document says so. What\n" +
			"looks like a secret is masked.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withEvidence(cmd, flags, args[0], func(cfg config.Config, incident incidents.Incident, evidence incidents.Evidence) error {
				if asJSON { // a program reads it, and control characters are escaped in it
					evidence.Clean = func(s string) string { return incidents.Redact(s, cfg.Secrets()...) }
				}
				pm := incidents.WritePostMortem(incident, evidence)
				write := pm.WriteMarkdown
				switch {
				case asJSON:
					write = pm.WriteJSON
				case asHTML:
					write = pm.WriteHTML
				}
				return writeTo(cmd.OutOrStdout(), file, write)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().BoolVar(&asHTML, "html", false, "write one page of HTML that needs nothing beside it")
	cmd.Flags().StringVarP(&file, "output", "o", "", "`file` to write to; an existing one is not overwritten")
	cmd.MarkFlagsMutuallyExclusive("json", "html")
	return cmd
}

// writeTo writes to a new file, or to w where none is named.
func writeTo(w io.Writer, file string, write func(io.Writer) error) error {
	if file == "" {
		return write(w)
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(write(out), out.Close())
}

// withEvidence runs something on an incident and what is known of it.
func withEvidence(cmd *cobra.Command, flags *config.Flags, id string, do func(config.Config, incidents.Incident, incidents.Evidence) error) error {
	return withIncidents(cmd, flags, func(cfg config.Config, journal openedJournal, all []incidents.Incident) error {
		incident, err := incidentOf(all, id)
		if err != nil {
			return err
		}
		evidence, err := gatherEvidence(cmd.Context(), cfg, journal, incident)
		if err != nil {
			return err
		}
		return do(cfg, incident, evidence)
	})
}

// gatherEvidence reads and measures what a post-mortem is written from. Only the
// journal has to be there.
func gatherEvidence(ctx context.Context, cfg config.Config, journal incidents.Journal, incident incidents.Incident) (incidents.Evidence, error) {
	events, err := journal.Events(ctx, incident.ID, 0)
	if err != nil {
		return incidents.Evidence{}, err
	}
	evidence := incidents.Evidence{Events: events, WrittenAt: time.Now()}
	evidence.Clean = func(s string) string {
		return strings.Join(ui.CleanLines(incidents.Redact(s, cfg.Secrets()...)), "\n")
	}
	if evidence.Books, err = booksOf(cfg, events); err != nil {
		return evidence, err
	}
	if evidence.Findings, err = findingsOf(ctx, cfg, evidence.Books); err != nil {
		return evidence, err
	}
	evidence.Signals, evidence.Unknown = measure(ctx, probes.NewProm(cfg.Prometheus), cfg.Signals, incident)
	return evidence, nil
}

// booksOf finds the runbooks that an incident was worked by. One that is gone is
// left out: its steps are then named as the journal names them.
func booksOf(cfg config.Config, events []incidents.Event) ([]*runbooks.Runbook, error) {
	library, err := openLibrary(cfg)
	if err != nil {
		return nil, err
	}
	var books []*runbooks.Runbook
	for _, e := range events {
		opened, ok := e.Fact.(incidents.RunbookOpened)
		if !ok {
			continue
		}
		if book, ok := library.ByName(opened.Runbook); ok && !slices.Contains(books, book) {
			books = append(books, book)
		}
	}
	return books, nil
}

// findingsOf is what the linter says of runbooks. Those that are built in are
// linted where they are made.
func findingsOf(ctx context.Context, cfg config.Config, books []*runbooks.Runbook) ([]lint.Finding, error) {
	if len(cfg.Runbooks) == 0 {
		return nil, nil
	}
	var found []lint.Finding
	for _, book := range books {
		findings, err := lint.Lint(ctx, []string{book.File}, lint.Options{})
		if err != nil {
			return nil, err
		}
		for _, f := range findings {
			if f.Line >= book.Line && f.Line <= book.EndLine {
				found = append(found, f)
			}
		}
	}
	return found, nil
}

// measure asks Prometheus for the signals over an incident, and says what is
// missing and why.
func measure(ctx context.Context, prom *probes.Prom, signals []config.Signal, incident incidents.Incident) (series []incidents.Series, unknown string) {
	from, to := incident.Began.Add(-aroundIncident), time.Now()
	if !incident.Open() && incident.Resolved.Add(aroundIncident).Before(to) {
		to = incident.Resolved.Add(aroundIncident)
	}
	step := max(finestStep, to.Sub(from)/samples)
	var missing []string
	for _, s := range signals {
		measured, _, err := prom.Range(ctx, s.Query, from, to, step)
		switch {
		case errors.Is(err, probes.ErrNotConfigured):
			return nil, "The signals were not measured: " + err.Error()
		case err != nil:
			missing = append(missing, fmt.Sprintf("%s: %v", s.Title, err))
			continue
		case len(measured) == 0:
			missing = append(missing, s.Title+": no such series")
			continue
		}
		one := incidents.Series{Name: s.Name, Title: cmp.Or(s.Title, s.Name), Unit: string(s.Unit), Warn: s.Warn, Critical: s.Critical, Below: s.Below}
		for _, p := range measured[0].Points {
			if !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0) {
				one.Points = append(one.Points, incidents.Sample{At: p.At, Value: p.Value})
			}
		}
		series = append(series, one)
	}
	if len(missing) > 0 {
		unknown = "Not measured: " + strings.Join(missing, "; ")
	}
	return series, unknown
}
