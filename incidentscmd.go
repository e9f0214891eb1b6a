package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/ui"
)

// incidentsCommand looks at what the journal holds, when nobody sits in the
// cockpit.
func incidentsCommand(flags *config.Flags) *cobra.Command {
	cmd := &cobra.Command{Use: "incidents", Short: "List, show, verify, export, replay and prune incidents", Args: cobra.NoArgs}
	cmd.AddCommand(
		incidentsListCommand(flags), incidentsShowCommand(flags), incidentsVerifyCommand(flags),
		incidentsExportCommand(flags), incidentsReplayCommand(flags), incidentsPruneCommand(flags),
	)
	return cmd
}

// withJournal runs something on the journal that is configured. Unlike the
// cockpit it does not go on without one.
func withJournal(cmd *cobra.Command, flags *config.Flags, do func(config.Config, openedJournal) error) (err error) {
	cfg, _, err := config.Load(flags, os.Environ())
	if err != nil {
		return err
	}
	if cfg.Journal == config.JournalInMemory {
		return errors.New("a journal in memory has nothing to show; set --journal to a file or a server")
	}
	journal, err := openJournal(cmd.Context(), cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.close()) }()
	return do(cfg, journal)
}

// withIncidents runs something on the incidents in the journal, newest first.
func withIncidents(cmd *cobra.Command, flags *config.Flags, do func(config.Config, openedJournal, []incidents.Incident) error) error {
	return withJournal(cmd, flags, func(cfg config.Config, journal openedJournal) error {
		all, _, err := incidents.ReadAll(cmd.Context(), journal, journal.snapshot)
		if err != nil {
			return err
		}
		return do(cfg, journal, all)
	})
}

// incidentOf finds the incident that was named, with or without the prefix.
func incidentOf(all []incidents.Incident, id string) (incidents.Incident, error) {
	for _, i := range all {
		if i.ID == id || i.ID == "INC-"+id {
			return i, nil
		}
	}
	return incidents.Incident{}, fmt.Errorf("no incident is named %q; flightdeck incidents list names them", id)
}

func incidentsListCommand(flags *config.Flags) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the incidents, newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withIncidents(cmd, flags, func(_ config.Config, _ openedJournal, all []incidents.Incident) error {
				if asJSON {
					return writeJSON(cmd.OutOrStdout(), all)
				}
				tab := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
				for _, i := range all {
					_, _ = fmt.Fprintf(tab, "%s\t%s\t%s\t%s\t%s\t%s\n", ui.Clean(i.ID), stateOf(i), ui.Clean(i.Severity),
						i.OpenedAt.Local().Format(time.DateTime), ui.Duration(i.Duration(time.Now())), ui.Clean(i.Title))
				}
				return tab.Flush()
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func stateOf(i incidents.Incident) string {
	switch {
	case !i.Open():
		return "resolved"
	case !i.Acknowledged.IsZero():
		return "acknowledged"
	}
	return "open"
}

func incidentsShowCommand(flags *config.Flags) *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Print an incident and its timeline",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withIncidents(cmd, flags, func(_ config.Config, journal openedJournal, all []incidents.Incident) error {
				incident, err := incidentOf(all, args[0])
				if err != nil {
					return err
				}
				events, err := journal.Events(cmd.Context(), incident.ID, 0)
				if err != nil {
					return err
				}
				if asJSON {
					return writeJSON(cmd.OutOrStdout(), map[string]any{"incident": incident, "events": events})
				}
				return writeIncident(cmd.OutOrStdout(), incident, events)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// writeIncident prints an incident as plain lines.
func writeIncident(w io.Writer, i incidents.Incident, events []incidents.Event) error {
	out := &lines{w: w}
	out.add("%s  %s  %s  %s", ui.Clean(i.ID), stateOf(i), ui.Clean(i.Severity), ui.Clean(i.Title))
	out.add("runbook %s, %s", ui.Clean(i.Runbook), ui.Duration(i.Duration(time.Now())))
	for _, figure := range []struct {
		name string
		of   func() (time.Duration, bool)
	}{{"acknowledge", i.TimeToAcknowledge}, {"mitigate", i.TimeToMitigate}, {"recover", i.TimeToRecover}} {
		if took, ok := figure.of(); ok {
			out.add("time to %s %s", figure.name, ui.Duration(took))
		}
	}
	for _, t := range i.Tasks {
		box := "[ ]"
		if !t.Done.IsZero() {
			box = "[x]"
		}
		out.add("%s %s", box, ui.Clean(t.Title))
	}
	out.add("")
	for _, e := range events {
		for n, line := range ui.CleanLines(incidents.Describe(e.Fact)) {
			if n > 0 {
				out.add("%s  %s", strings.Repeat(" ", len(time.DateTime)), line)
				continue
			}
			out.add("%s  %s: %s", e.At.Local().Format(time.DateTime), ui.Clean(e.Actor.Name), line)
		}
	}
	return out.err
}

// verifyFailed is the exit status when the journal is not what was written.
const verifyFailed = 1

func incidentsVerifyCommand(flags *config.Flags) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Check that nothing in the journal was changed, removed or reordered",
		Long: "Check that nothing in the journal was changed, removed or reordered since it was written,\n" +
			"and say where if it was.\n\n" +
			"The last line holds the number and the hash of the last event. Who keeps that elsewhere\n" +
			"can tell later that a tail was cut off and everything beside the journal with it.\n\n" +
			"The exit status is 0 when all is as it was written, 1 when it is not, and 2 when the\n" +
			"journal cannot be read.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withJournal(cmd, flags, func(_ config.Config, journal openedJournal) error {
				head, err := journal.Verify(cmd.Context())
				if broken := (*incidents.BrokenChain)(nil); errors.As(err, &broken) {
					if _, err := fmt.Fprintln(cmd.OutOrStdout(), broken); err != nil {
						return err
					}
					return exitStatus(verifyFailed)
				}
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d events, as they were written\n%d %s\n", head.Seq, head.Seq, head.Hash)
				return err
			})
		},
	}
}

func incidentsPruneCommand(flags *config.Flags) *cobra.Command {
	olderThan, keepOpen, yes := "", true, false
	cmd := &cobra.Command{
		Use:   "prune --older-than AGE",
		Short: "Remove the content of old incidents from the journal",
		Long: "Remove the content of old incidents from the journal: those in which nothing has happened\n" +
			"for AGE (90d, 12h). The newest incident always stays.\n\n" +
			"Of each event its hash is left, and an event says what was removed and by whom, so that\n" +
			"the journal can be verified as before. What it will remove is listed, and asked for.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			age, err := parseAge(olderThan)
			if err != nil {
				return fmt.Errorf("--older-than: %w", err)
			}
			return withIncidents(cmd, flags, func(_ config.Config, journal openedJournal, all []incidents.Incident) error {
				since := time.Now().Add(-age)
				old := incidents.Prunable(all, since, keepOpen)
				if len(old) == 0 {
					_, err := fmt.Fprintln(cmd.OutOrStdout(), "nothing is that old")
					return err
				}
				if ok, err := agreed(cmd, old, yes); err != nil || !ok {
					return err
				}
				return prune(cmd.Context(), journal, old, func(all []incidents.Incident) []incidents.Incident {
					return incidents.Prunable(all, since, keepOpen)
				})
			})
		},
	}
	cmd.Flags().StringVar(&olderThan, "older-than", "", "`age` of the last event, such as 90d")
	cmd.Flags().BoolVar(&keepOpen, "keep-open", keepOpen, "keep incidents that are not resolved")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	_ = cmd.MarkFlagRequired("older-than") // it is there
	return cmd
}

// agreed lists what would be removed, and asks.
func agreed(cmd *cobra.Command, old []incidents.Incident, yes bool) (bool, error) {
	out := &lines{w: cmd.OutOrStdout()}
	for _, i := range old {
		out.add("%s  %s  %d events, last %s  %s", ui.Clean(i.ID), stateOf(i), i.Events, i.Last.Local().Format(time.DateTime), ui.Clean(i.Title))
	}
	if yes || out.err != nil {
		return yes, out.err
	}
	out.add("Remove what these %d incidents hold? It cannot be brought back. Type yes:", len(old))
	answer, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	if strings.TrimSpace(answer) != "yes" {
		out.add("nothing was removed")
		return false, out.err
	}
	return true, out.err
}

// prune removes the incidents that were agreed to. One that the policy keeps by
// now, because it went on meanwhile, stops it.
func prune(ctx context.Context, journal openedJournal, agreed []incidents.Incident, policy func([]incidents.Incident) []incidents.Incident) error {
	pruner, ok := journal.Journal.(interface {
		Prune(ctx context.Context, head int64, actor incidents.Actor, incidents []string) (incidents.Event, error)
	})
	if !ok {
		return errors.New("this journal cannot be pruned")
	}
	all, head, err := incidents.ReadAll(ctx, journal, journal.snapshot)
	if err != nil {
		return err
	}
	still := policy(all)
	var ids []string
	for _, i := range agreed {
		if !slices.ContainsFunc(still, func(s incidents.Incident) bool { return s.ID == i.ID }) {
			return fmt.Errorf("%s went on meanwhile, and nothing was removed; try again", i.ID)
		}
		ids = append(ids, i.ID)
	}
	if _, err := pruner.Prune(ctx, head.Seq, operator().Actor, ids); err != nil {
		return fmt.Errorf("nothing was removed; try again: %w", err)
	}
	if journal.snapshot == "" {
		return nil
	}
	if err := os.Remove(journal.snapshot); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("what was removed is still in a cache: %w; remove the file", err)
	}
	return nil
}

// parseAge reads a duration that may be in days.
func parseAge(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 36500 {
			return 0, fmt.Errorf("expected an age such as 90d or 12h, got %q", text)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	age, err := time.ParseDuration(text)
	if err != nil || age < 0 {
		return 0, fmt.Errorf("expected an age such as 90d or 12h, got %q", text)
	}
	return age, nil
}
