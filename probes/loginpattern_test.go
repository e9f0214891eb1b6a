package probes

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// tried makes tallies out of how many attempts each name has, most first.
func tried(name string, counts ...int) []Tally {
	tallies := make([]Tally, len(counts))
	for i, n := range counts {
		tallies[i] = Tally{Name: fmt.Sprintf("%s%d", name, i), Count: n}
	}
	return tallies
}

// evenly is n names with the same count.
func evenly(n, count int) []int {
	counts := make([]int, n)
	for i := range counts {
		counts[i] = count
	}
	return counts
}

func TestPattern(t *testing.T) {
	for name, c := range map[string]struct {
		users, addresses []int
		total            int // where it is more than the users take
		busiest          int // where it is less than all
		want             Pattern
		why              string
	}{
		"nothing":                        {want: NoPattern, why: "at most 0 attempts in 5 min, of the 51 that make an alert"},
		"the screen's example":           {users: []int{38, 4, 3}, addresses: []int{41, 3, 1}, want: NoPattern, why: "at most 45 attempts in 5 min, of the 51"},
		"one short of an alert":          {users: []int{50}, addresses: []int{50}, want: NoPattern, why: "at most 50 attempts"},
		"just an alert":                  {users: []int{51}, addresses: []int{51}, want: BruteForce, why: "1 user took 100 % of 51 attempts, from 1 address"},
		"many, but slowly":               {users: []int{500}, addresses: []int{500}, busiest: 50, want: NoPattern, why: "at most 50 attempts"},
		"one user from one address":      {users: []int{400, 8, 4}, addresses: []int{400, 12}, want: BruteForce, why: "1 user took 97 % of 412 attempts, from 2 addresses"},
		"one user from many addresses":   {users: []int{300}, addresses: evenly(150, 2), want: BruteForce, why: "1 user took 100 % of 300 attempts, from 150 addresses"},
		"nine users from one address":    {users: evenly(9, 10), addresses: []int{90}, want: BruteForce, why: "8 users took 89 % of 90 attempts, from 1 address"},
		"nine users take just mostly":    {users: append(evenly(9, 8), evenly(18, 1)...), addresses: evenly(30, 3), want: BruteForce, why: "9 users took 80 % of 90 attempts, from 30 addresses"},
		"nine users take just not":       {users: append(evenly(9, 8), evenly(19, 1)...), addresses: evenly(91, 1), want: Distributed, why: "91 attempts on 28 users, 3.2 each, from 91 addresses"},
		"brute force under mistypes":     {users: append([]int{500}, evenly(100, 1)...), addresses: append([]int{500}, evenly(100, 1)...), want: BruteForce, why: "1 user took 83 % of 600 attempts, from 101 addresses"},
		"many users from one address":    {users: evenly(200, 2), addresses: []int{400}, want: CredentialStuffing, why: "400 attempts on 200 users, 2.0 each, from 1 address"},
		"many users from nine addresses": {users: evenly(200, 1), addresses: append(evenly(9, 20), evenly(20, 1)...), want: CredentialStuffing, why: "200 attempts on 200 users, 1.0 each, from 29 addresses"},
		"many users from ten addresses":  {users: evenly(200, 1), addresses: append(evenly(10, 16), evenly(40, 1)...), want: Distributed, why: "from 50 addresses"},
		"a botnet":                       {users: evenly(900, 2), addresses: evenly(600, 3), want: Distributed, why: "1800 attempts on 900 users, 2.0 each, from 600 addresses"},
		"an outage":                      {users: evenly(120, 2), addresses: evenly(118, 2), total: 240, want: Distributed, why: "logins that are broken look the same"},
		"many tries are no outage":       {users: evenly(20, 9), addresses: evenly(20, 9), want: Distributed, why: "180 attempts on 20 users, 9.0 each, from 20 addresses"},
		"users alone, few":               {users: []int{60}, want: BruteForce, why: "1 user took 100 % of 60 attempts, addresses are not named"},
		"users alone, many":              {users: evenly(60, 1), want: CredentialStuffing, why: "60 attempts on 60 users, 1.0 each, addresses are not named"},
		"addresses alone, few":           {addresses: []int{60}, want: BruteForce, why: "1 address made 100 % of 60 attempts; users are not named"},
		"addresses alone, many":          {addresses: evenly(60, 1), want: Distributed, why: "60 attempts from 60 addresses; users are not named"},
		"neither":                        {total: 60, want: NoPattern, why: "60 attempts that name neither user nor address"},
	} {
		t.Run(name, func(t *testing.T) {
			a := attack{threshold: 10, span: alertHolds, users: tried("user", c.users...), addresses: tried("10.0.0.", c.addresses...)}
			for _, tallies := range [][]Tally{a.users, a.addresses} {
				sum := 0
				for _, u := range tallies {
					sum += u.Count
				}
				a.total = max(a.total, sum)
			}
			a.total = max(a.total, c.total)
			a.busiest = a.total
			if c.busiest > 0 {
				a.busiest = c.busiest
			}
			got, why := a.pattern()
			if got != c.want || !strings.Contains(why, c.why) {
				t.Errorf("%s: %q; want %s: %q", got, why, c.want, c.why)
			}
			if strings.Contains(why, "outage") != strings.Contains(c.why, "outage") && strings.Contains(why, "broken") != strings.Contains(c.why, "broken") {
				t.Errorf("%q speaks of an outage", why)
			}
		})
	}
}

func TestPatternNeedsAnAlert(t *testing.T) {
	for _, c := range []struct {
		threshold float64
		span      time.Duration
		need      int
	}{{10, 5 * time.Minute, 51}, {0, 5 * time.Minute, 51}, {2.5, 5 * time.Minute, 13}, {10, time.Minute, 11}} {
		if got := (attack{threshold: c.threshold, span: c.span}).alerting(); got != c.need {
			t.Errorf("%v a minute over %v: %d attempts; want %d", c.threshold, c.span, got, c.need)
		}
	}
}
