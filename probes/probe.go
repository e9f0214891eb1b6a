package probes

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Probe takes readings of one source and publishes them to the board it was
// made with.
type Probe interface {
	// Name is the source in one word, as the header shows it.
	Name() string
	// Run takes readings until ctx ends, and then returns soon. Trouble with
	// the source is the Err of a reading and never ends Run; an error of Run
	// means that the probe itself cannot go on. A source that is not configured
	// says so in its reading and returns nil at once.
	Run(ctx context.Context) error
}

// Run runs all probes, each on its own, and returns when all have ended, which
// is soon after ctx ends. A probe that ends early stops no other; Run returns
// what the probes returned, each error with the probe's name.
func Run(ctx context.Context, probes ...Probe) error {
	errs := make([]error, len(probes))
	var running sync.WaitGroup
	for i, p := range probes {
		running.Go(func() {
			_, err := guarded(ctx, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, p.Run(ctx)
			})
			if err != nil && !errors.Is(err, context.Canceled) {
				errs[i] = fmt.Errorf("%s: %w", p.Name(), err)
			}
		})
	}
	running.Wait()
	return errors.Join(errs...)
}
