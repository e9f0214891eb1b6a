package probes

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// attemptsAt makes attempts, oldest first, at so many seconds before now.
func attemptsAt(now time.Time, secondsAgo ...float64) []failedLogin {
	var all []failedLogin
	for _, s := range secondsAgo {
		all = append(all, failedLogin{at: now.Add(-time.Duration(s * float64(time.Second))), user: "u", address: "10.0.0.1"})
	}
	slices.SortFunc(all, func(a, b failedLogin) int { return a.at.Compare(b.at) })
	return all
}

func TestTally(t *testing.T) {
	now := time.Now()
	l := Logins{Threshold: 10, Window: 15 * time.Minute}
	l.tally(attempts{name: "audit", since: now.Add(-l.Window), all: []failedLogin{
		{now.Add(-10 * time.Minute), "a", "10.0.0.1"},
		{now.Add(-9 * time.Minute), "b", "10.0.0.1"},
		{now.Add(-50 * time.Second), "", "10.0.0.2"},
		{now.Add(-40 * time.Second), "b", ""},
		{now.Add(-30 * time.Second), "a", "10.0.0.1"},
	}}, now)
	want := []Tally{{"a", 2, now.Add(-30 * time.Second)}, {"b", 2, now.Add(-40 * time.Second)}}
	if !slices.Equal(l.ByUser, want) {
		t.Errorf("by user %v; want %v", l.ByUser, want)
	}
	want = []Tally{{"10.0.0.1", 3, now.Add(-30 * time.Second)}, {"10.0.0.2", 1, now.Add(-50 * time.Second)}}
	if !slices.Equal(l.ByAddress, want) {
		t.Errorf("by address %v; want %v", l.ByAddress, want)
	}
	if l.Total != 5 || l.PerMinute != 3 || l.Users != 2 || l.Addresses != 2 || l.Approximate || l.Pattern != NoPattern || l.Tallied != "audit" {
		t.Errorf("%+v", l)
	}
}

func TestTallyShowsTheTop(t *testing.T) {
	now := time.Now()
	var all []failedLogin
	for i := range 200 {
		for range i + 1 {
			all = append(all, failedLogin{now, fmt.Sprint("user", i), fmt.Sprint("10.0.0.", i)})
		}
	}
	l := Logins{Threshold: 10, Window: time.Hour}
	l.tally(attempts{all: all}, now)
	if len(l.ByUser) != 50 || len(l.ByAddress) != 50 || l.Users != 200 || l.Addresses != 200 || l.ByUser[0].Name != "user199" || l.ByUser[49].Count != 151 {
		t.Errorf("%d of %d users, %d of %d addresses, the first %+v, the last %+v", len(l.ByUser), l.Users, len(l.ByAddress), l.Addresses, l.ByUser[0], l.ByUser[49])
	}
}

func TestBusiest(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		ago  []float64
		want int
	}{
		{nil, 0},
		{[]float64{10}, 1},
		{[]float64{0, 300}, 2},
		{[]float64{0, 300.1}, 1},
		{[]float64{0, 100, 200, 600, 610, 620, 630, 899}, 5},
	} {
		if got := busiest(attemptsAt(now, c.ago...), 5*time.Minute); got != c.want {
			t.Errorf("%v: %d; want %d", c.ago, got, c.want)
		}
	}
}

func TestPerMinute(t *testing.T) {
	now := time.Now()
	a := attempts{all: attemptsAt(now, 0, 10, 59, 61, 600), since: now.Add(-time.Hour)}
	if got := a.perMinute(now); got != 3 {
		t.Errorf("%v a minute; want 3", got)
	}
	if got := (attempts{}).perMinute(now); got != 0 {
		t.Errorf("%v a minute out of none", got)
	}
	// So many that those that were kept all came within the last 6 seconds.
	a = attempts{all: make([]failedLogin, loginsKept), since: now.Add(-6 * time.Second), more: true}
	for i := range a.all {
		a.all[i].at = now.Add(-6 * time.Second)
	}
	if got := a.perMinute(now); got != 10*loginsKept {
		t.Errorf("%v a minute; want %v", got, 10*loginsKept)
	}
}

// botnet is as many attempts as are kept, each on a user and from an address of
// its own.
func botnet(now time.Time) []failedLogin {
	all := make([]failedLogin, loginsKept)
	for i := range all {
		all[i] = failedLogin{
			at:      now.Add(-15 * time.Minute).Add(time.Duration(i) * 15 * time.Minute / loginsKept),
			user:    fmt.Sprintf("user%05d", rand.IntN(1e6)),
			address: fmt.Sprintf("10.%d.%d.%d", rand.IntN(256), rand.IntN(256), rand.IntN(256)),
		}
	}
	return all
}

func BenchmarkTally(b *testing.B) {
	now := time.Now()
	brute := make([]failedLogin, loginsKept)
	for i := range brute {
		brute[i] = failedLogin{at: now, user: "admin", address: "10.4.8.15"}
	}
	for name, all := range map[string][]failedLogin{"botnet": botnet(now), "brute force": brute} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l := Logins{Threshold: 10, Window: 15 * time.Minute}
				l.tally(attempts{all: all, since: now.Add(-15 * time.Minute)}, now)
			}
		})
	}
}
