package main

import (
	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/views"
)

// incidentsReplayCommand scrubs through an incident in the cockpit.
func incidentsReplayCommand(flags *config.Flags) *cobra.Command {
	return &cobra.Command{
		Use:   "replay ID",
		Short: "Scrub through an incident: the checklist and the signals as they were at each event",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withEvidence(cmd, flags, args[0], func(cfg config.Config, _ incidents.Incident, evidence incidents.Evidence) error {
				_, err := tea.NewProgram(views.NewReplay(evidence), programOptions(cmd.Context(), cfg)...).Run()
				return err
			})
		},
	}
}
