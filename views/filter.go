package views

import (
	"maps"
	"slices"
	"strings"

	"github.com/erpgo/flightdeck/ui"
)

// containsFold tells whether every word of query stands in one of the texts,
// whatever its case.
func containsFold(query string, texts ...string) bool {
	all := strings.ToLower(strings.Join(texts, "\x00"))
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		if !strings.Contains(all, word) {
			return false
		}
	}
	return true
}

// labelText is a label set as one line, for filtering.
func labelText(labels map[string]string) string {
	var b strings.Builder
	for _, k := range sortedKeys(labels) {
		b.WriteString(k + "=" + labels[k] + " ")
	}
	return b.String()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// filterDetail is how a pane's rule shows that it is filtered.
func filterDetail(theme ui.Theme, query string) string {
	if query == "" {
		return ""
	}
	return theme.Accent.Render("/" + ui.Clean(query))
}
