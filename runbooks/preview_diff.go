package runbooks

const (
	// maxDiffLines bounds a diff that is shown before a decision.
	maxDiffLines = 20
	// maxDiffInput bounds what is compared, in lines of either side: comparing
	// takes time and memory by their product.
	maxDiffInput = 2000
	// diffContext is how many unchanged lines stand around a changed one.
	diffContext = 1
)

// diffLines are the changed lines of two texts with their surroundings, " ",
// "-" and "+" in front; "…" stands between places that are apart. It is nil for
// equal texts, and for ones that are too long to compare.
func diffLines(a, b []string) []string {
	if len(a) > maxDiffInput || len(b) > maxDiffInput {
		return nil
	}
	all := align(a, b)
	keep := make([]bool, len(all))
	changed := false
	for i, line := range all {
		if line[0] == ' ' {
			continue
		}
		changed = true
		for k := max(0, i-diffContext); k <= min(len(all)-1, i+diffContext); k++ {
			keep[k] = true
		}
	}
	if !changed {
		return nil
	}
	var out []string
	last := -1
	for i, line := range all {
		if !keep[i] {
			continue
		}
		if last >= 0 && i > last+1 {
			out = append(out, "…")
		}
		out, last = append(out, line), i
	}
	return out
}

// align is the longest common subsequence of two texts, as a diff of all lines.
func align(a, b []string) []string {
	width := len(b) + 1
	common := make([]int32, (len(a)+1)*width) // of a[i:] and b[j:]
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i*width+j] = common[(i+1)*width+j+1] + 1
			} else {
				common[i*width+j] = max(common[(i+1)*width+j], common[i*width+j+1])
			}
		}
	}
	var out []string
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, " "+a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[(i+1)*width+j] >= common[i*width+j+1]:
			out = append(out, "-"+a[i])
			i++
		default:
			out = append(out, "+"+b[j])
			j++
		}
	}
	return out
}
