//go:build unix && !linux

package incidents

import "errors"

var errNoMount = errors.New("tmpfs is Linux's")

func mount(string, string) error { return errNoMount }

func unmount(string) error { return errNoMount }

func remount(string, bool) error { return errNoMount }
