package ui

import (
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
)

// Column is one column of a table. Columns have fixed widths, so that nothing
// moves when other rows scroll into view; one column takes what is left.
type Column struct {
	Title string
	Width int  // cells, without the gap; 0 for the one column that takes what is left
	Right bool // numbers align right
	Ends  bool // too long a text loses its middle and keeps its ends
	Mark  bool // a glyph that belongs to the next column: one cell of gap instead of two
}

// Cell is one text of a table and the style it is drawn in.
type Cell struct {
	Text  string // cleaned; cut to the column's width
	Style lipgloss.Style
}

// MarkColumn is the first column of a list: the cursor, or what is wrong.
var MarkColumn = Column{Width: 2, Right: true, Mark: true}

// gap is the room behind a column.
func (c Column) gap() int {
	if c.Mark {
		return 1
	}
	return 2
}

// Table draws rows under an optional header line, each line exactly width cells.
func Table(theme Theme, columns []Column, header bool, rows [][]Cell, width int) []string {
	widths := columnWidths(columns, width)
	text := make([][]string, len(rows))
	for i, row := range rows {
		text[i] = make([]string, len(columns))
		for j := range columns {
			if j >= len(row) {
				continue
			}
			room := widths[j]
			if j < len(columns)-1 {
				room -= columns[j].gap()
			}
			if columns[j].Ends {
				text[i][j] = CutMiddle(row[j].Text, room)
			} else {
				text[i][j] = Cut(row[j].Text, room)
			}
		}
	}
	t := table.New().
		BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).
		BorderHeader(false).BorderColumn(false).BorderRow(false).
		Wrap(false).Width(width).Rows(text...).
		StyleFunc(func(row, col int) lipgloss.Style {
			style := theme.Dim
			if row != table.HeaderRow {
				style = theme.Plain
				if col < len(rows[row]) {
					style = rows[row][col].Style
				}
			}
			style = style.Width(widths[col])
			if col < len(columns)-1 {
				style = style.PaddingRight(columns[col].gap())
			}
			if columns[col].Right {
				style = style.Align(lipgloss.Right)
			}
			return style
		})
	if header {
		titles := make([]string, len(columns))
		for j, c := range columns {
			titles[j] = Cut(c.Title, widths[j])
		}
		t = t.Headers(titles...)
	} else if len(rows) == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimRight(t.Render(), "\n"), "\n")
	for i := range lines {
		lines[i] = Fit(lines[i], width)
	}
	return lines
}

// columnWidths gives each column its width with the gap behind it, and the
// column without a width what is left.
func columnWidths(columns []Column, width int) []int {
	widths := make([]int, len(columns))
	left, flexible := width, -1
	for j, c := range columns {
		if c.Width == 0 && flexible < 0 {
			flexible = j
			continue
		}
		widths[j] = c.Width
		if j < len(columns)-1 {
			widths[j] += c.gap()
		}
		left -= widths[j]
	}
	if flexible >= 0 {
		widths[flexible] = max(left, 4)
	}
	return widths
}
