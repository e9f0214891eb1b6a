package probes

import (
	"cmp"
	"slices"
	"time"
)

// tally counts the attempts of one source into the reading.
func (l *Logins) tally(a attempts, now time.Time) {
	l.Tallied = a.name
	l.Total, l.Approximate = len(a.all), a.more
	l.PerMinute = a.perMinute(now)
	byAddress := count(a.all, func(f failedLogin) string { return f.address })
	byUser := count(a.all, func(f failedLogin) string { return f.user })
	l.Addresses, l.Users = len(byAddress), len(byUser)
	l.ByAddress, l.ByUser = byAddress[:min(len(byAddress), loginsShown)], byUser[:min(len(byUser), loginsShown)]
	span := min(alertHolds, l.Window)
	l.Pattern, l.Why = attack{
		threshold: l.Threshold,
		span:      span,
		busiest:   busiest(a.all, span),
		total:     len(a.all),
		addresses: byAddress,
		users:     byUser,
	}.pattern()
}

// count tallies attempts, oldest first, by what name says of each, most first
// and then the latest first. What has no name is left out.
func count(all []failedLogin, name func(failedLogin) string) []Tally {
	at := make(map[string]int)
	var tallies []Tally
	for _, f := range all {
		n := name(f)
		if n == "" {
			continue
		}
		i, ok := at[n]
		if !ok {
			i = len(tallies)
			at[n] = i
			tallies = append(tallies, Tally{Name: n})
		}
		tallies[i].Count++
		tallies[i].Last = f.at
	}
	slices.SortFunc(tallies, func(a, b Tally) int {
		if order := cmp.Compare(b.Count, a.Count); order != 0 {
			return order
		}
		if order := b.Last.Compare(a.Last); order != 0 {
			return order
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return tallies
}

// busiest is the most attempts, of those given oldest first, that lie within
// any span of time.
func busiest(all []failedLogin, span time.Duration) int {
	most, first := 0, 0
	for i, f := range all {
		for f.at.Sub(all[first].at) > span {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
