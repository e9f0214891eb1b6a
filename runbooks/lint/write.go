package lint

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
)

// WriteText writes findings as compilers do, a line each.
func WriteText(w io.Writer, findings []Finding) error {
	for _, f := range findings {
		if _, err := fmt.Fprintf(w, "%s:%d: %s: %s [%s]\n", f.File, f.Line, f.Severity, f.Message, f.Rule); err != nil {
			return fmt.Errorf("write findings: %w", err)
		}
	}
	return nil
}

// WriteJSON writes findings as an array of objects with file, line, rule,
// severity and message.
func WriteJSON(w io.Writer, findings []Finding) error {
	if findings == nil {
		findings = []Finding{}
	}
	return encode(w, findings)
}

// WriteSARIF writes findings as SARIF 2.1.0, which code hosts show beside the
// lines. version is that of the program.
func WriteSARIF(w io.Writer, findings []Finding, version string) error {
	driver := sarifDriver{Name: "flightdeck", Version: version, InformationURI: "https://github.com/erpgo/flightdeck"}
	index := map[string]int{}
	for i, r := range rules {
		index[r.Name] = i
		driver.Rules = append(driver.Rules, sarifRule{
			ID: r.Name, ShortDescription: sarifText{r.Title}, FullDescription: sarifText{r.Doc},
			Help: sarifText{r.Doc}, DefaultConfiguration: sarifLevel{string(r.Severity)},
		})
	}
	results := []sarifResult{}
	for _, f := range findings {
		var location sarifLocation
		location.PhysicalLocation.ArtifactLocation.URI = (&url.URL{Path: filepath.ToSlash(f.File)}).EscapedPath()
		location.PhysicalLocation.Region.StartLine = f.Line
		results = append(results, sarifResult{RuleID: f.Rule, RuleIndex: index[f.Rule], Level: string(f.Severity), Message: sarifText{f.Message}, Locations: []sarifLocation{location}})
	}
	return encode(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{{Tool: sarifTool{driver}, Results: results}}})
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("write findings: %w", err)
	}
	return nil
}

// The part of SARIF that is used.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version,omitempty"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID                   string     `json:"id"`
		ShortDescription     sarifText  `json:"shortDescription"`
		FullDescription      sarifText  `json:"fullDescription"`
		Help                 sarifText  `json:"help"`
		DefaultConfiguration sarifLevel `json:"defaultConfiguration"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		PhysicalLocation struct {
			ArtifactLocation struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region struct {
				StartLine int `json:"startLine"`
			} `json:"region"`
		} `json:"physicalLocation"`
	}
)

// WriteReference writes what each rule looks for, as Markdown.
func WriteReference(w io.Writer) error {
	_, err := fmt.Fprint(w, `# What the linter looks for

An error makes `+"`flightdeck lint`"+` exit with status 1; warnings and notes do not.

Each rule can be switched off by a comment in the file: from there on, until it is
switched on again, or for the next line or block. Without a name all rules are meant.

`+"```html"+`
<!-- flightdeck-lint-disable RULE -->
<!-- flightdeck-lint-enable RULE -->
<!-- flightdeck-lint-disable-next-line RULE -->
`+"```"+`

`)
	for _, r := range rules {
		if err == nil {
			_, err = fmt.Fprintf(w, "## %s\n\n*%s:* %s.\n\n%s\n\n", r.Name, r.Severity, r.Title, r.Doc)
		}
	}
	if err != nil {
		return fmt.Errorf("write reference: %w", err)
	}
	return nil
}
