package probes

import (
	"context"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// flushEvery is how often, at most, changes are published while many come.
const flushEvery = 250 * time.Millisecond

// PodsProbe watches the pods, deployments and replica sets of the cluster's
// namespace.
type PodsProbe struct {
	cluster  *Cluster
	selector string
	cell     *Cell[Pods]
	dirty    chan struct{} // holds a token when there is something to publish

	mu          sync.Mutex
	pods        podSet
	listed      bool // pods has been whole at least once
	moved       bool // pods has changed since the last publication
	podsErr     error
	rollouts    map[types.UID]rollout
	sets        map[types.UID]replicaSet
	deployments []Deployment // nil when it has to be joined anew
	rolloutsErr error
	setsErr     error
}

// NewPods returns the probe of the board's pods. selector is a label selector;
// empty means all pods of the cluster's namespace.
func NewPods(cluster *Cluster, selector string, board *Board) *PodsProbe {
	return &PodsProbe{
		cluster:  cluster,
		selector: selector,
		cell:     &board.Pods,
		dirty:    make(chan struct{}, 1),
		rollouts: make(map[types.UID]rollout),
		sets:     make(map[types.UID]replicaSet),
	}
}

// Name is "k8s".
func (p *PodsProbe) Name() string { return "k8s" }

// Run watches until ctx ends. Changes are published at once when it was quiet,
// and otherwise gathered for a quarter of a second.
func (p *PodsProbe) Run(ctx context.Context) error {
	if p.cluster.err != nil {
		p.cell.fail(p.cluster.err, time.Now())
		return nil
	}
	turned, leave := p.cluster.heart.join()
	defer leave()
	var mirrors sync.WaitGroup
	defer waitBriefly(&mirrors)
	mirrors.Go(func() { p.podsMirror().run(ctx) })
	mirrors.Go(func() { p.rolloutsMirror().run(ctx) })
	mirrors.Go(func() { p.setsMirror().run(ctx) })
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		select {
		case <-p.dirty:
		case <-turned:
		case <-beat.C: // "nothing has changed" is news too
		case <-ctx.Done():
			return nil
		}
		p.publish()
		select {
		case <-time.After(flushEvery):
		case <-ctx.Done():
			return nil
		}
	}
}

// publish takes what is known now to the board.
func (p *PodsProbe) publish() {
	pulse := p.cluster.heart.state()
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	next := p.cell.Load()
	before := next.Err
	// Of the two the heartbeat knows better why nothing comes.
	if next.Err = p.cluster.explain(pulse.err); next.Err == nil {
		next.Err = p.podsErr
	}
	switch {
	case next.Err == nil:
		next.ErrSince = time.Time{}
	case before == nil:
		next.ErrSince = now
	}
	if p.listed {
		next.Value = p.value()
		switch {
		case p.moved:
			next.TakenAt = now
		case next.Err == nil && pulse.good.After(next.TakenAt):
			next.TakenAt = pulse.good // nothing has changed, and that is known
		}
		p.moved = false
	} else if next.Err == nil {
		return // nothing is known yet
	}
	p.cell.put(next)
}

// value assembles the reading. The caller holds mu.
func (p *PodsProbe) value() Pods {
	if p.deployments == nil {
		p.deployments = deploymentsOf(p.rollouts, p.sets)
	}
	err := p.rolloutsErr
	if err == nil {
		err = p.setsErr
	}
	return Pods{
		Context:        p.cluster.Context,
		Namespace:      p.cluster.Namespace,
		Pods:           p.pods.merge(),
		Deployments:    p.deployments,
		DeploymentsErr: err,
	}
}

// update changes what is known, under the lock, and has it published if change
// says that it is worth it.
func (p *PodsProbe) update(change func() bool) {
	p.mu.Lock()
	worth := change()
	p.mu.Unlock()
	if !worth {
		return
	}
	select {
	case p.dirty <- struct{}{}:
	default:
	}
}

func (p *PodsProbe) podsMirror() *mirror[*corev1.Pod, Pod] {
	return &mirror[*corev1.Pod, Pod]{
		cluster:  p.cluster,
		client:   p.cluster.core,
		resource: "pods",
		labels:   p.selector,
		page:     func() runtime.Object { return &corev1.PodList{} },
		keep:     newPod,
		synced: func(all []Pod) {
			p.update(func() bool {
				p.pods.replace(all)
				p.listed, p.moved = true, true
				return true
			})
		},
		changed: func(pod Pod) {
			p.update(func() bool {
				changed := p.pods.set(pod)
				p.moved = p.moved || changed
				return changed
			})
		},
		removed: func(pod Pod) {
			p.update(func() bool {
				p.pods.remove(pod)
				p.moved = true
				return true
			})
		},
		health: p.health(&p.podsErr),
	}
}

func (p *PodsProbe) rolloutsMirror() *mirror[*appsv1.Deployment, rollout] {
	return mapMirror(p, &p.rollouts, &mirror[*appsv1.Deployment, rollout]{
		resource: "deployments",
		page:     func() runtime.Object { return &appsv1.DeploymentList{} },
		keep:     newRollout,
		health:   p.health(&p.rolloutsErr),
	}, func(r rollout) types.UID { return r.uid })
}

func (p *PodsProbe) setsMirror() *mirror[*appsv1.ReplicaSet, replicaSet] {
	return mapMirror(p, &p.sets, &mirror[*appsv1.ReplicaSet, replicaSet]{
		resource: "replicasets",
		page:     func() runtime.Object { return &appsv1.ReplicaSetList{} },
		keep:     newReplicaSet,
		health:   p.health(&p.setsErr),
	}, func(rs replicaSet) types.UID { return rs.uid })
}

// mapMirror lets m keep a map of what deployments are joined from.
func mapMirror[O runtime.Object, T any](p *PodsProbe, into *map[types.UID]T, m *mirror[O, T], uid func(T) types.UID) *mirror[O, T] {
	change := func(do func()) {
		p.update(func() bool {
			do()
			p.deployments = nil
			return true
		})
	}
	m.cluster, m.client = p.cluster, p.cluster.apps
	m.synced = func(all []T) {
		change(func() {
			*into = make(map[types.UID]T, len(all))
			for _, one := range all {
				(*into)[uid(one)] = one
			}
		})
	}
	m.changed = func(one T) { change(func() { (*into)[uid(one)] = one }) }
	m.removed = func(one T) { change(func() { delete(*into, uid(one)) }) }
	return m
}

// health keeps why a mirror is not in step.
func (p *PodsProbe) health(into *error) func(error) {
	return func(err error) {
		p.update(func() bool {
			changed := !sameError(*into, err)
			*into = err
			return changed
		})
	}
}
