// Package markdown reads the workbook's texts: CommonMark with tables, and mathematics between $ and $ or $$ and $$, which is left as it is.
package markdown

import (
	"bytes"
	"strings"

	"github.com/gohugoio/hugo-goldmark-extensions/passthrough"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

var parser = goldmark.New(goldmark.WithExtensions(
	extension.Table,
	passthrough.New(passthrough.Config{
		InlineDelimiters: []passthrough.Delimiters{{Open: "$", Close: "$"}},
		BlockDelimiters:  []passthrough.Delimiters{{Open: "$$", Close: "$$"}},
	}),
)).Parser()

// Parse parses source, in which ends of lines may be those of any system. The tree refers to the source that is returned.
func Parse(source string) (ast.Node, []byte) {
	src := []byte(strings.ReplaceAll(source, "\r\n", "\n"))
	return parser.Parse(text.NewReader(src)), src
}

// Section is a heading with what follows it.
type Section struct {
	Level int // 1 for #
	Title string
	Line  int    // of the heading, from 1
	Text  string // up to the next heading
	Whole string // up to the next heading of this level or a higher one
}

// Sections cuts source at its headings.
func Sections(source string) []Section {
	root, src := Parse(source)
	type place struct{ begins, ends int } // of a heading's line
	var all []Section
	var places []place
	for n := root.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok || h.Lines().Len() == 0 {
			continue
		}
		title := h.Lines().At(0)
		begins := bytes.LastIndexByte(src[:title.Start], '\n') + 1
		ends := len(src)
		if i := bytes.IndexByte(src[title.Stop:], '\n'); i >= 0 {
			ends = title.Stop + i + 1
		}
		all = append(all, Section{Level: h.Level, Title: strings.TrimSpace(string(title.Value(src))), Line: bytes.Count(src[:begins], []byte("\n")) + 1})
		places = append(places, place{begins, ends})
	}
	for i := range all {
		until := func(next func(Section) bool) string {
			for k := i + 1; k < len(all); k++ {
				if next(all[k]) {
					return strings.TrimSpace(string(src[places[i].ends:places[k].begins]))
				}
			}
			return strings.TrimSpace(string(src[places[i].ends:]))
		}
		all[i].Text = until(func(Section) bool { return true })
		all[i].Whole = until(func(s Section) bool { return s.Level <= all[i].Level })
	}
	return all
}
