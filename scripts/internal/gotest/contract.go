package gotest

import (
	"fmt"
	"path/filepath"
	"strings"

	"whyhow/scripts/internal/contract"
	"whyhow/scripts/internal/workbook"
)

// broken lists the exported declarations of the reference that the file under test lacks or changes. The reference's
// signatures are the stub's. Parameter names do not matter; other files of the folder may declare them too.
func (b *build) broken() []Problem {
	want, err := contract.Parse(b.kata.Reference(), nil)
	if err != nil {
		return nil // there is no reference in this checkout: the compiler's own words must do
	}
	got := map[string]contract.Declaration{}
	for _, file := range append(workbook.Files(b.kata.Dir, "*.go"), b.file) {
		if strings.HasSuffix(file, "_test.go") || file == b.kata.File && file != b.file {
			continue
		}
		if declared, err := contract.Parse(file, nil); err == nil {
			for _, d := range declared {
				got[d.Name] = d
			}
		}
	}
	var all []Problem
	for _, w := range contract.Exported(want) {
		p := Problem{File: b.shown}
		switch g, ok := got[w.Name]; {
		case !ok:
			p.Message = fmt.Sprintf("%s is missing: %s must have\n    %s", w.Name, filepath.Base(b.shown), inset(w.Text))
		case g.Shape != w.Shape:
			p.Line = g.Line
			p.Message = fmt.Sprintf("%s must be\n    %s\nnot\n    %s", w.Name, inset(w.Text), inset(g.Text))
		default:
			continue
		}
		all = append(all, p)
	}
	return all
}

func inset(text string) string { return strings.ReplaceAll(text, "\n", "\n    ") }
