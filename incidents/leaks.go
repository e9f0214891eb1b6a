package incidents

import (
	"math"
	"strings"
	"sync"

	"github.com/rs/zerolog"
	"github.com/spf13/viper"
	"github.com/zricethezav/gitleaks/v8/config"
	"github.com/zricethezav/gitleaks/v8/logging"
)

// leakRules are gitleaks's rules for what a secret looks like. They take some
// 70 ms to read, so they are read when there is first something to hide. What
// else gitleaks's detector brings, such as readers of archives, is not wanted
// in a program that holds an operator's credentials.
var leakRules = sync.OnceValues(func() (config.Config, error) {
	logging.Logger = zerolog.Nop() // it would write to the screen
	settings := viper.New()
	settings.SetConfigType("toml")
	if err := settings.ReadConfig(strings.NewReader(config.DefaultConfig)); err != nil {
		return config.Config{}, err
	}
	var form config.ViperConfig
	if err := settings.Unmarshal(&form); err != nil {
		return config.Config{}, err
	}
	return form.Translate()
})

// leaks returns what gitleaks's rules take for a secret in a text.
func leaks(text string) []string {
	rules, err := leakRules()
	if err != nil {
		return nil // the rules are a part of the program: a test reads them
	}
	lower := strings.ToLower(text)
	var found []string
	for _, rule := range rules.Rules {
		if rule.Regex == nil || rule.Path != nil || rule.SkipReport || !mentions(lower, rule.Keywords) {
			continue
		}
		for _, at := range rule.Regex.FindAllStringSubmatchIndex(text, -1) {
			match, secret := text[at[0]:at[1]], secretIn(text, at, rule.SecretGroup)
			if rule.Entropy != 0 && entropy(secret) <= rule.Entropy {
				continue
			}
			line := lineAround(text, at[0], at[1])
			if allowed(rules.Allowlists, match, secret, line) || allowed(rule.Allowlists, match, secret, line) {
				continue
			}
			found = append(found, secret)
		}
	}
	return found
}

// mentions tells whether a text, in small letters, has one of some words; no
// words are in every text.
func mentions(lower string, words []string) bool {
	for _, w := range words {
		if strings.Contains(lower, strings.ToLower(w)) {
			return true
		}
	}
	return len(words) == 0
}

// secretIn is the group of a match that a rule names, or its first one that has
// something in it, or all of it.
func secretIn(text string, at []int, group int) string {
	groups := []int{group}
	if group == 0 {
		groups = groups[:0]
		for g := 1; g < len(at)/2; g++ {
			groups = append(groups, g)
		}
	}
	for _, g := range groups {
		if from, to := at[2*g], at[2*g+1]; from >= 0 && from < to {
			return text[from:to]
		}
	}
	return strings.Trim(text[at[0]:at[1]], "\n")
}

// allowed tells whether a list says that a match is none: an example, a word
// that people put where a secret would stand.
func allowed(lists []*config.Allowlist, match, secret, line string) bool {
	for _, list := range lists {
		target := secret
		switch list.RegexTarget {
		case "match":
			target = match
		case "line":
			target = line
		}
		stop, _ := list.ContainsStopWord(secret)
		fits := list.RegexAllowed(target)
		if list.MatchCondition == config.AllowlistMatchAnd {
			// Here there are no commits and no paths, which never fit.
			if len(list.Commits) == 0 && len(list.Paths) == 0 &&
				(fits || len(list.Regexes) == 0) && (stop || len(list.StopWords) == 0) {
				return true
			}
			continue
		}
		if fits || stop {
			return true
		}
	}
	return false
}

// lineAround is the line, or the lines, that a match stands on.
func lineAround(text string, from, to int) string {
	start := strings.LastIndexByte(text[:from], '\n') + 1
	if end := strings.IndexByte(text[to:], '\n'); end >= 0 {
		return text[start : to+end]
	}
	return text[start:]
}

// entropy is Shannon's, in bits a character, as gitleaks's rules count it.
func entropy(s string) float64 {
	counts := map[rune]int{}
	for _, r := range s {
		counts[r]++
	}
	bits := 0.0
	for _, n := range counts {
		share := float64(n) / float64(len(s))
		bits -= share * math.Log2(share)
	}
	return bits
}
