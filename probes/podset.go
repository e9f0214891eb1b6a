package probes

import (
	"cmp"
	"maps"
	"slices"
)

// podSet holds the pods in the order in which they are shown, and takes changes
// in batches: what a batch costs is one pass over the pods and a sort of what
// changed, however many events it gathers.
type podSet struct {
	sorted  []Pod           // published: never modified
	pending map[string]*Pod // by name; nil for a pod that is gone
}

// replace makes all the whole set.
func (s *podSet) replace(all []Pod) {
	slices.SortFunc(all, comparePods)
	s.sorted, s.pending = all, nil
}

// set adds a pod or replaces the one of the same name. It reports whether
// anything that is kept of it has changed: most events only renew what no pane
// shows.
func (s *podSet) set(p Pod) bool {
	current, ok := s.pending[p.Name]
	if i, known := s.index(p.Name); !ok && known {
		current = &s.sorted[i]
	}
	if current != nil && equalPods(*current, p) {
		return false
	}
	s.put(p.Name, &p)
	return true
}

// remove takes a pod away.
func (s *podSet) remove(p Pod) { s.put(p.Name, nil) }

func (s *podSet) put(name string, p *Pod) {
	if s.pending == nil {
		s.pending = make(map[string]*Pod)
	}
	s.pending[name] = p
}

// merge returns the pods with all changes in their places. The slice is never
// modified afterwards.
func (s *podSet) merge() []Pod {
	if len(s.pending) == 0 {
		return s.sorted
	}
	edits := s.edits()
	merged := make([]Pod, 0, len(s.sorted)+len(edits))
	done := 0 // pods of sorted that are taken over or left out
	for _, e := range edits {
		merged = append(merged, s.sorted[done:e.at]...)
		done = e.at
		if e.insert != nil {
			merged = append(merged, *e.insert)
		} else {
			done++
		}
	}
	s.sorted, s.pending = append(merged, s.sorted[done:]...), nil
	return s.sorted
}

// edit is one change of the sorted pods: insert before index at, or, where
// insert is nil, leave out the pod at it.
type edit struct {
	at     int
	insert *Pod
}

// edits are the pending changes from the first place to the last. What the
// batch costs beyond copying goes with the number of changes, not of pods.
func (s *podSet) edits() []edit {
	edits := make([]edit, 0, 2*len(s.pending))
	for name, p := range s.pending {
		if i, ok := s.index(name); ok {
			edits = append(edits, edit{at: i})
		}
		if p != nil {
			i, _ := slices.BinarySearchFunc(s.sorted, *p, comparePods)
			edits = append(edits, edit{at: i, insert: p})
		}
	}
	slices.SortFunc(edits, func(a, b edit) int {
		switch {
		case a.at != b.at:
			return cmp.Compare(a.at, b.at)
		case a.insert != nil && b.insert != nil:
			return comparePods(*a.insert, *b.insert)
		case a.insert != nil: // before the pod at the same index is left out
			return -1
		}
		return 1
	})
	return edits
}

// index is where the pod of that name is among the sorted ones.
func (s *podSet) index(name string) (int, bool) {
	for _, healthy := range [...]bool{false, true} {
		i, ok := slices.BinarySearchFunc(s.sorted, Pod{Name: name, Healthy: healthy}, comparePods)
		if ok {
			return i, true
		}
	}
	return 0, false
}

// comparePods orders pods as they are shown: what is wrong first, then by name.
func comparePods(a, b Pod) int {
	if a.Healthy != b.Healthy {
		if b.Healthy {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.Name, b.Name)
}

func equalPods(a, b Pod) bool {
	return a.Name == b.Name && a.Ready == b.Ready && a.Containers == b.Containers &&
		a.Status == b.Status && a.Healthy == b.Healthy && a.Restarts == b.Restarts &&
		a.LastRestart.Equal(b.LastRestart) && a.Created.Equal(b.Created) && a.Node == b.Node &&
		maps.Equal(a.Labels, b.Labels) && slices.Equal(a.ContainerName, b.ContainerName)
}
