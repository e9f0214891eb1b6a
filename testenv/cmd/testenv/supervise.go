//go:build unix

package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/erpgo/flightdeck/testenv/erpgo"
	"github.com/erpgo/flightdeck/testenv/lease"
	"github.com/erpgo/flightdeck/testenv/server"
)

// superviseCommand is what the other commands, and tests, start in the
// background.
func superviseCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "supervise SOCKET",
		Short:  "Hold an environment for as long as somebody needs it",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return lease.Supervise(cmd.Context(), args[0], start)
		},
	}
}

// environment is ERPGo and the folder that it lives in.
type environment struct {
	*erpgo.ERPGo
	folder *server.Folder
}

func start(ctx context.Context, progress io.Writer) (lease.Environment, error) {
	folder, err := server.NewFolder()
	if err != nil {
		return nil, err
	}
	app, err := erpgo.Start(ctx, folder.Path, progress)
	if err != nil {
		return nil, errors.Join(err, folder.Remove())
	}
	return &environment{ERPGo: app, folder: folder}, nil
}

// Close ends the servers and removes their files.
func (e *environment) Close() error {
	return errors.Join(e.ERPGo.Close(), e.folder.Remove())
}
