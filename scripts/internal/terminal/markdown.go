package terminal

import (
	"fmt"
	"strings"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"github.com/gohugoio/hugo-goldmark-extensions/passthrough"
	"github.com/yuin/goldmark/ast"
	extension "github.com/yuin/goldmark/extension/ast"

	"whyhow/scripts/internal/markdown"
)

// Markdown renders text for a terminal of the width: headings stand out, paragraphs, list items and the cells of tables are filled, code
// and displayed mathematics stay as they are. Comments are left out.
func Markdown(text string, width int) string {
	root, source := markdown.Parse(text)
	r := renderer{source}
	return strings.Join(r.blocks(root, width, "", ""), "\n") + "\n"
}

type renderer struct{ source []byte }

// blocks renders the blocks in n as lines, with an empty one between two. The first line begins with first, the others with rest.
func (r renderer) blocks(n ast.Node, width int, first, rest string) (lines []string) {
	tight := false
	if list, ok := n.Parent().(*ast.List); ok {
		tight = list.IsTight
	}
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		block := r.block(c, width, first, rest)
		if len(block) == 0 {
			continue
		}
		if len(lines) > 0 && !tight {
			lines = append(lines, "")
		}
		lines, first = append(lines, block...), rest
	}
	return lines
}

func (r renderer) block(n ast.Node, width int, first, rest string) []string {
	switch n := n.(type) {
	case *ast.Heading:
		return []string{first + bold.Styled(r.inline(n))}
	case *ast.Paragraph, *ast.TextBlock:
		return strings.Split(fill(r.inline(n), first, rest, width), "\n")
	case *ast.List:
		return r.list(n, width, rest)
	case *ast.Blockquote:
		return r.blocks(n, width, first+faint.Styled("│ "), rest+faint.Styled("│ "))
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		return r.verbatim(n, rest+"    ", code.Styled)
	case *passthrough.PassthroughBlock:
		return r.verbatim(n, rest, func(s string) string { return s })
	case *extension.Table:
		return r.table(n, width, rest)
	case *ast.ThematicBreak:
		return []string{faint.Styled(strings.Repeat("─", width))}
	}
	return nil // comments and other HTML
}

func (r renderer) list(l *ast.List, width int, margin string) (lines []string) {
	number := l.Start
	for item := l.FirstChild(); item != nil; item = item.NextSibling() {
		sign := string(l.Marker)
		if l.IsOrdered() {
			sign = fmt.Sprintf("%d%c", number, l.Marker)
			number++
		}
		if len(lines) > 0 && !l.IsTight {
			lines = append(lines, "")
		}
		lines = append(lines, r.blocks(item, width, margin+"  "+sign+" ", margin+strings.Repeat(" ", len(sign)+3))...)
	}
	return lines
}

// verbatim renders the lines of a block as they are.
func (r renderer) verbatim(n ast.Node, margin string, style func(string) string) (lines []string) {
	for _, s := range n.Lines().Sliced(0, n.Lines().Len()) {
		lines = append(lines, strings.TrimRight(margin+style(strings.TrimRight(string(s.Value(r.source)), "\n")), " "))
	}
	return lines
}

func (r renderer) table(t *extension.Table, width int, margin string) []string {
	drawn := table.New().Border(lipgloss.NormalBorder()).BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).
		Width(min(width, 100) - len(margin)).Wrap(true).StyleFunc(func(int, int) lipgloss.Style { return lipgloss.NewStyle().PaddingRight(2) })
	natural := 0
	for row := t.FirstChild(); row != nil; row = row.NextSibling() {
		var cells []string
		columns := 0
		for c := row.FirstChild(); c != nil; c = c.NextSibling() {
			cell := r.inline(c)
			if _, head := row.(*extension.TableHeader); head {
				cell = bold.Styled(cell) // table cuts what it takes for a header, and wraps rows
			}
			cells = append(cells, cell)
			columns += lipgloss.Width(cell) + 2
		}
		natural = max(natural, columns)
		drawn.Row(cells...)
	}
	if natural < width-len(margin) {
		drawn.Width(0)
	}
	var lines []string
	for _, line := range strings.Split(drawn.Render(), "\n") {
		lines = append(lines, strings.TrimRight(margin+line, " "))
	}
	return lines
}

// inline renders what is in a paragraph. Mathematics stays as it is.
func (r renderer) inline(n ast.Node) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Value(r.source))
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.CodeSpan:
			b.WriteString(code.Styled("`" + r.inline(c) + "`")) // with its marks: a blank at its end may matter
		case *ast.Emphasis:
			style := italic
			if c.Level == 2 {
				style = bold
			}
			b.WriteString(style.Styled(r.inline(c)))
		case *ast.AutoLink:
			b.Write(c.URL(r.source))
		case *passthrough.PassthroughInline:
			b.Write(c.Segment.Value(r.source))
		case *ast.RawHTML:
		default:
			b.WriteString(r.inline(c))
		}
	}
	return b.String()
}
