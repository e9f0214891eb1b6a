package probes

import (
	"fmt"
	"math"
	"time"
)

// Pattern is the shape of an attack on logins.
type Pattern string

// The patterns that the tallies can show, as ERPGo's runbook tells them apart
// under "Analyze attack patterns".
const (
	NoPattern Pattern = "no pattern"
	// BruteForce is few users and many attempts on each, from wherever.
	BruteForce Pattern = "brute force"
	// CredentialStuffing is many users and few addresses.
	CredentialStuffing Pattern = "credential stuffing" //nolint:gosec // no credentials
	// Distributed is many users and many addresses.
	Distributed Pattern = "distributed"
)

const (
	// alertThreshold (a minute) and alertHolds are when HighFailedLoginRate
	// fires: more than 10 failed attempts a minute for 5 minutes. Fewer are a
	// morning like any other, whatever shape they have.
	alertThreshold = 10
	alertHolds     = 5 * time.Minute
	// fewNames is where many users or addresses begin. The runbook locks a user
	// out after 5 failures and allows an address 5 attempts in 15 minutes, and
	// it takes some 50 attempts for the alert to fire: on fewer than 10 users, or
	// from fewer than 10 addresses, those 50 are more than each is allowed.
	fewNames = 10
	// mostly is the share of the attempts that makes the shape. The rest is
	// other people's mistyped passwords: an attack on one account stays brute
	// force while a hundred others mistype theirs once.
	mostly = 0.8
)

// attack is the figures that a pattern is read from.
type attack struct {
	threshold float64       // attempts a minute
	span      time.Duration // alertHolds, or the window where that is shorter
	busiest   int           // attempts in the busiest span of the window
	total     int
	addresses []Tally // all of them, most first
	users     []Tally
}

// pattern names the shape and says which figures make it.
func (a attack) pattern() (Pattern, string) {
	if need := a.alerting(); a.busiest < need {
		return NoPattern, fmt.Sprintf("at most %s in %.0f min, of the %d that make an alert", counted(a.busiest, "attempt"), a.span.Minutes(), need)
	}
	users, ofUsers := spread(a.users, a.total)
	addresses, ofAddresses := spread(a.addresses, a.total)
	switch {
	case users == 0 && addresses == 0:
		return NoPattern, fmt.Sprintf("%s that name neither user nor address", counted(a.total, "attempt"))
	case users == 0 && addresses < fewNames:
		return BruteForce, fmt.Sprintf("%s made %.0f %% of %s; users are not named", counted(addresses, "address"), 100*ofAddresses, counted(a.total, "attempt"))
	case users == 0:
		return Distributed, fmt.Sprintf("%s from %s; users are not named", counted(a.total, "attempt"), counted(len(a.addresses), "address"))
	case users < fewNames:
		return BruteForce, fmt.Sprintf("%s took %.0f %% of %s, %s", counted(users, "user"), 100*ofUsers, counted(a.total, "attempt"), a.from())
	case addresses < fewNames:
		return CredentialStuffing, fmt.Sprintf("%s on %s, %.1f each, %s", counted(a.total, "attempt"), counted(len(a.users), "user"), a.each(), a.from())
	}
	why := fmt.Sprintf("%s on %s, %.1f each, %s", counted(a.total, "attempt"), counted(len(a.users), "user"), a.each(), a.from())
	if a.likeAnOutage() {
		why += "; every user from an address of their own: logins that are broken look the same"
	}
	return Distributed, why
}

// alerting is how many attempts within the span are more than the threshold.
func (a attack) alerting() int {
	threshold := a.threshold
	if threshold <= 0 {
		threshold = alertThreshold
	}
	return int(math.Floor(threshold*a.span.Minutes())) + 1
}

// spread is the least number of names that most attempts fall on, and the share
// of all attempts that these take. It is 0 where most attempts name none.
func spread(tallies []Tally, total int) (names int, share float64) {
	sum := 0
	for i, t := range tallies {
		sum += t.Count
		if float64(sum) >= mostly*float64(total) {
			return i + 1, float64(sum) / float64(total)
		}
	}
	return 0, 0
}

// each is how many attempts there were on a user, on average.
func (a attack) each() float64 { return float64(a.total) / float64(len(a.users)) }

func (a attack) from() string {
	if len(a.addresses) == 0 {
		return "addresses are not named"
	}
	return "from " + counted(len(a.addresses), "address")
}

// likeAnOutage tells whether users and addresses come in pairs and no user is
// tried often: what one sees when nobody's right password is accepted.
func (a attack) likeAnOutage() bool {
	ratio := float64(len(a.users)) / float64(len(a.addresses))
	return ratio > 0.8 && ratio < 1.25 && a.each() < 5
}

// counted is a number with its noun.
func counted(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case noun == "address":
		return fmt.Sprintf("%d addresses", n)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
