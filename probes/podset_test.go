package probes

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPodSetIsWhatSortingWouldGive compares it with a map that is sorted each
// time.
func TestPodSetIsWhatSortingWouldGive(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var set podSet
	plain := make(map[string]Pod)
	for range 2000 {
		for range random.IntN(4) {
			p := Pod{Name: fmt.Sprintf("pod-%d", random.IntN(60)), Healthy: random.IntN(3) > 0, Restarts: random.IntN(2)}
			before, known := plain[p.Name]
			if random.IntN(4) == 0 {
				set.remove(p)
				delete(plain, p.Name)
			} else {
				changed := set.set(p)
				if want := !known || before.Healthy != p.Healthy || before.Restarts != p.Restarts; changed != want {
					t.Fatalf("set(%v) over %v reported changed=%v", p, before, changed)
				}
				plain[p.Name] = p
			}
		}
		want := make([]Pod, 0, len(plain))
		for _, p := range plain {
			want = append(want, p)
		}
		slices.SortFunc(want, comparePods)
		got := set.merge()
		if !slices.EqualFunc(got, want, equalPods) {
			t.Fatalf("-want +got\n%s", cmp.Diff(want, got))
		}
	}
}

func TestPodSetNeverModifiesWhatItPublished(t *testing.T) {
	var set podSet
	set.replace([]Pod{{Name: "b", Healthy: true}, {Name: "a", Healthy: true}})
	published := set.merge()
	set.set(Pod{Name: "a", Status: "CrashLoopBackOff"})
	set.set(Pod{Name: "c", Healthy: true})
	set.remove(Pod{Name: "b"})
	set.merge()
	want := []Pod{{Name: "a", Healthy: true}, {Name: "b", Healthy: true}}
	if diff := cmp.Diff(want, published); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func fivethousand() []Pod {
	created := time.Now()
	pods := make([]Pod, 5000)
	for i := range pods {
		pods[i] = Pod{
			Name: fmt.Sprintf("erpgo-api-74777df64b-%05d", i), Ready: 1, Containers: 1, Status: "Running",
			Healthy: i%100 != 0, Created: created, Node: "node-1",
			Labels:        map[string]string{"app": "erpgo-api", "pod-template-hash": "74777df64b"},
			ContainerName: []string{"api"},
		}
	}
	return pods
}

// BenchmarkPodsEvent is one changed pod beside 5,000: alone, as when it is quiet,
// and as one of a batch, as when everything changes.
func BenchmarkPodsEvent(b *testing.B) {
	for _, batch := range []int{1, 100} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			var set podSet
			all := fivethousand()
			set.replace(slices.Clone(all))
			set.merge()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p := all[i%len(all)]
				p.Restarts = i
				set.set(p)
				if i%batch == batch-1 {
					set.merge()
				}
			}
		})
	}
}
